"""The probes of one running container, acting on its state."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from corral.embedded.kube import Object
from corral.embedded.node.containers import ContainerRun
from corral.embedded.node.launcher import execute
from corral.embedded.node.probes import Counter, Probe, check, watch

Unwell = Callable[[ContainerRun, str, float | None], None]
"""Called with the container, the probe's kind, and the probe's own grace in seconds."""


class Prober:
    """Follows the probes of `run` on the pod's address until cancelled.

    Sets `started` and `ready` and calls `news`; calls `unwell` when startup or liveness gives up.
    """

    def __init__(self, run: ContainerRun, bind: str, news: Callable[[], None], unwell: Unwell) -> None:
        self._run = run
        self._bind = bind
        self._news = news
        self._unwell = unwell

    async def follow(self) -> None:
        run = self._run
        if not run.started:
            await self._startup()
            run.started = True
            run.ready = not run.spec.get("readinessProbe")
            self._news()
        async with asyncio.TaskGroup() as group:
            if run.spec.get("readinessProbe"):
                group.create_task(self._watch("readiness", run.ready, self._ready))
            if run.spec.get("livenessProbe"):
                group.create_task(self._watch("liveness", True, lambda well: self._judge("liveness", well)))

    async def _startup(self) -> None:
        if not self._run.spec.get("startupProbe"):
            return
        passed = asyncio.Event()

        def judge(well: bool) -> None:
            self._judge("startup", well)
            if well:
                passed.set()

        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch("startup", None, judge))
            await passed.wait()
            watching.cancel()

    def _ready(self, ready: bool) -> None:
        self._run.ready = ready
        self._news()

    def _judge(self, kind: str, well: bool) -> None:
        if not well:
            self._unwell(self._run, kind, self._probe(kind).grace)

    def _probe(self, kind: str) -> Probe:
        return Probe.of(cast(Object, self._run.spec[f"{kind}Probe"]))

    async def _watch(self, kind: str, verdict: bool | None, changed: Callable[[bool], None]) -> None:
        probe = self._probe(kind)

        async def command(argv: Sequence[str], seconds: float) -> bool:
            return await execute(self._run.attempt, argv, seconds)

        async def once() -> bool:
            return await check(probe, self._run.spec, self._bind, command)

        await watch(probe, once, Counter(probe.success, probe.failure, verdict), changed)
