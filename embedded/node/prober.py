"""The probes of one running container, acting on its state."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from corral.embedded.kube import Object
from corral.embedded.node.containers import ContainerRun
from corral.embedded.node.launcher import execute
from corral.embedded.node.probes import Counter, Probe, check, watch

OnUnhealthy = Callable[[ContainerRun, str, float | None], None]
"""Called with the container, the probe's kind, and the probe's own grace in seconds."""


class Prober:
    """Follows the probes of `run` on the pod's address until cancelled.

    Sets `started` and `ready` and calls `news`; calls `unwell` when startup or liveness gives up.
    """

    def __init__(
        self, run: ContainerRun, bind: str, on_change: Callable[[], None], on_unhealthy: OnUnhealthy
    ) -> None:
        self._run = run
        self._bind = bind
        self._on_change = on_change
        self._on_unhealthy = on_unhealthy

    async def follow(self) -> None:
        run = self._run
        if not run.started:
            await self._startup()
            run.started = True
            run.ready = not run.spec.get("readinessProbe")
            self._on_change()
        async with asyncio.TaskGroup() as group:
            if run.spec.get("readinessProbe"):
                group.create_task(self._watch("readiness", run.ready, self._ready))
            if run.spec.get("livenessProbe"):
                group.create_task(
                    self._watch("liveness", True, lambda passing: self._on_result("liveness", passing))
                )

    async def _startup(self) -> None:
        if not self._run.spec.get("startupProbe"):
            return
        passed = asyncio.Event()

        def on_startup(passing: bool) -> None:
            self._on_result("startup", passing)
            if passing:
                passed.set()

        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch("startup", None, on_startup))
            await passed.wait()
            watching.cancel()

    def _ready(self, ready: bool) -> None:
        self._run.ready = ready
        self._on_change()

    def _on_result(self, kind: str, passing: bool) -> None:
        if not passing:
            self._on_unhealthy(self._run, kind, self._probe(kind).grace)

    def _probe(self, kind: str) -> Probe:
        return Probe.of(cast(Object, self._run.spec[f"{kind}Probe"]))

    async def _watch(self, kind: str, passing: bool | None, changed: Callable[[bool], None]) -> None:
        probe = self._probe(kind)

        async def command(argv: Sequence[str], seconds: float) -> bool:
            return await execute(self._run.attempt, argv, seconds)

        async def once() -> bool:
            return await check(probe, self._run.spec, self._bind, command)

        await watch(probe, once, Counter(probe.success, probe.failure, passing), changed)
