"""The life of one pod, from its first sight to its removal."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx

from corral.embedded.kube import ApiError, Object, resource
from corral.embedded.node import backoff
from corral.embedded.node.attempts import Attempt, Outcome, latest_runs
from corral.embedded.node.broadcast import Broadcast
from corral.embedded.node.classify import Decision, unsupported
from corral.embedded.node.containers import ContainerRun
from corral.embedded.node.launcher import Address, execute, launch, prepare
from corral.embedded.node.pod_files import PodFiles
from corral.embedded.node.prober import Prober
from corral.embedded.node.probes import http_get
from corral.embedded.node.program_spec import Omitted, Refused
from corral.embedded.node.shutdown import STOPPED, left_of
from corral.embedded.node.sources import Missing
from corral.embedded.node.status import is_finished, status
from corral.embedded.node.status_writer import RETRY_SECONDS, StatusWriter
from corral.embedded.node.tasks import cancel, first_cause, first_of
from corral.embedded.objects import at, child, children

log = logging.getLogger("corral.node")


class PodWorker:
    """Runs one pod. `update` hands in its newer versions; `poke` says that something it refers to changed."""

    def __init__(
        self,
        pod: Object,
        decision: Decision,
        files: PodFiles,
        address: Address,
        api_port: int,
    ) -> None:
        self.pod = pod
        self.address = address
        self.files = files
        self.deleting = asyncio.Event()
        self.refused: str | None = None
        self._api = files.settings.api
        self._api_port = api_port
        self._changed = Broadcast()
        self._status = StatusWriter(self._api, self.path, pod, self._body)
        known = at(pod, "status", "startTime")
        self._begun = datetime.fromisoformat(known).timestamp() if known else time.time()
        self._starting: set[asyncio.Task[Attempt]] = set()
        self._killing: set[asyncio.Task[None]] = set()
        self._sidecars: list[asyncio.Task[None]] = []
        self.inits = self._runs(decision, "initContainers", "initContainerStatuses", True)
        self.mains = self._runs(decision, "containers", "containerStatuses", False)

    def _runs(self, decision: Decision, key: str, status_key: str, init: bool) -> list[ContainerRun]:
        statuses = children(self.pod, "status", status_key)
        known = {entry["name"]: entry for entry in statuses}
        runs: list[ContainerRun] = []
        for spec in children(self.pod, "spec", key):
            name = str(spec["name"])
            run = ContainerRun(spec, decision.programs[name], init, self.uid, self.files.folder / name)
            run.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            run.recall(known.get(name, {}))
            if isinstance(run.program, Omitted):
                run.omit(self._begun)
            runs.append(run)
        return runs

    @property
    def uid(self) -> str:
        return str(self.pod["metadata"]["uid"])

    @property
    def title(self) -> str:
        return f"{self.pod['metadata']['namespace']}/{self.pod['metadata']['name']}"

    @property
    def runs(self) -> list[ContainerRun]:
        return [*self.inits, *self.mains]

    @property
    def path(self) -> str:
        metadata = self.pod["metadata"]
        return resource("v1", "pods", metadata["namespace"], metadata["name"])

    def update(self, pod: Object) -> None:
        self.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self.deleting.set()
        self._status.met(pod)
        self.notify()

    def notify(self) -> None:
        self._changed.notify()

    def publish(self) -> None:
        """The status changed: write it to the API."""
        self._status.changed.set()

    async def run(self) -> None:
        """Until the pod is deleted; cancelled, it leaves the processes running for the next node."""
        deletion = asyncio.create_task(self.deleting.wait())
        life = asyncio.create_task(self._life())
        helpers = [asyncio.create_task(self._status.run()), asyncio.create_task(self._refresher())]
        try:
            await first_of(deletion, life, *helpers)
            await first_of(deletion, *helpers)
            await cancel(life)
            await self._terminate()
        finally:
            await cancel(deletion, life, *helpers)
            await asyncio.gather(*self._starting, return_exceptions=True)

    async def abandon(self, task: "asyncio.Task[None]") -> None:
        """The pod is gone from the API: end its processes now and the worker with them."""
        await cancel(task)
        await self.end_leftovers(self.files.folder)

    @staticmethod
    async def end_leftovers(folder: Path) -> None:
        """Kill what still runs in a pod's folder, and wait for it."""
        for attempt in latest_runs(folder):
            if attempt.outcome is None:
                attempt.send(signal.SIGKILL)
                await attempt.ended()

    async def _life(self) -> None:
        if is_finished(self.pod):
            return
        try:
            problem = unsupported(self.pod)
            if problem:
                raise Refused(problem)
            self.publish()
            async with asyncio.TaskGroup() as sidecars:
                if await self._initialise(sidecars):
                    async with asyncio.TaskGroup() as mains:
                        for run in self.mains:
                            mains.create_task(self._supervise(run))
                await cancel(*self._sidecars)
            for run in self.inits:
                await self._kill(run, self._grace)
            self._settle()
            self.publish()
        except* Refused as causes:
            await self._refuse(str(first_cause(causes)))
        except* Exception as causes:
            # One pod that the node cannot handle does not take the others along.
            cause = first_cause(causes)
            log.error("%s: the node failed on this pod", self.title, exc_info=cause)
            await self._refuse(f"the node failed on this pod ({type(cause).__name__}); see its log")

    async def _initialise(self, sidecars: asyncio.TaskGroup) -> bool:
        """Init containers in order; whether the main ones may start."""
        for run in self.inits:
            if run.sidecar:
                self._sidecars.append(sidecars.create_task(self._supervise(run)))
                await self._until(lambda run=run: run.started)
                continue
            await self._supervise(run)
            if run.outcome and run.outcome.code != 0:
                return False
        return True

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            await self._changed.since(self._changed.count)

    def _restarts(self, run: ContainerRun, outcome: Outcome) -> bool:
        policy = self.pod["spec"].get("restartPolicy", "Always")
        if run.sidecar:
            return True
        if run.init:
            return outcome.code != 0 and policy != "Never"
        return policy == "Always" or (policy == "OnFailure" and outcome.code != 0)

    async def _supervise(self, run: ContainerRun) -> None:
        """Start, watch and restart one container until its policy says that it is done."""
        if isinstance(run.program, Omitted):
            return
        while True:
            if run.attempt is None or run.outcome is not None:
                if run.outcome is not None and not self._restarts(run, run.outcome):
                    return
                await self._start(run)
            await self._watch(run)
            self.publish()
            self.notify()

    async def _start(self, run: ContainerRun) -> None:
        level = await self._pause(run)
        while True:
            seen = self._changed.count
            try:
                await self.files.prepare(self.pod, self.address.fields)
                prepared = prepare(self.pod, run, self.files, self.address, self._api_port)
                task = asyncio.create_task(launch(self.pod, run, prepared, self.files, level))
                self._starting.add(task)
                task.add_done_callback(self._starting.discard)
                # A start is never left halfway: a process nobody recorded could not be adopted.
                run.begin(await asyncio.shield(task))
                return self.publish()
            except Missing as cause:
                self._wait(run, "CreateContainerConfigError", str(cause))
                await self._changed.since(seen)
            except (ApiError, httpx.TransportError, OSError) as cause:
                self._wait(run, "ContainerCreating", str(cause))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_SECONDS):
                        await self._changed.since(seen)

    def _wait(self, run: ContainerRun, reason: str, message: str) -> None:
        if run.wait(reason, message):
            log.info("%s: %s waits: %s", self.title, run.name, message)
            self.publish()

    async def _pause(self, run: ContainerRun) -> int:
        """Back off before a restart; the level of the next run."""
        stopped = run.folder / STOPPED
        if run.attempt is None or run.outcome is None or stopped.exists():
            stopped.unlink(missing_ok=True)
            return 0
        level = backoff.next_level(run.attempt.level, run.outcome.finished - run.attempt.begun)
        seconds = backoff.pause(level, backoff.first())
        left = run.outcome.finished + seconds - time.time()
        if left > 0:
            if run.wait("CrashLoopBackOff", f"back-off {seconds:g}s restarting failed container {run.name}"):
                self.publish()
            await asyncio.sleep(left)
        return level

    async def _watch(self, run: ContainerRun) -> None:
        """Probe the running container until it ends."""
        assert run.attempt is not None
        task = asyncio.create_task(
            Prober(run, self.address.bind, self._on_change, self._on_unhealthy).follow()
        )
        task.add_done_callback(self._probing_ended)
        try:
            run.end(await run.attempt.ended())
        finally:
            await cancel(task)
        log.info("%s: %s ended: %s", self.title, run.name, run.state["terminated"])

    def _probing_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("%s: probing stopped", self.title, exc_info=task.exception())

    def _on_change(self) -> None:
        self.publish()
        self.notify()

    def _on_unhealthy(self, run: ContainerRun, kind: str, grace: float | None) -> None:
        """A probe gave up on the container: end it; its restart policy decides what follows."""
        run.last_problem = f"{kind} probe failed"
        log.info("%s: %s: %s probe failed, restarting", self.title, run.name, kind)
        task = asyncio.create_task(self._kill(run, self._grace if grace is None else grace))
        self._killing.add(task)
        task.add_done_callback(self._killing.discard)

    @property
    def _grace(self) -> float:
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        grace = metadata.get("deletionGracePeriodSeconds")
        return float(spec.get("terminationGracePeriodSeconds", 30) if grace is None else grace)

    async def _kill(self, run: ContainerRun, grace: float) -> None:
        """SIGTERM, SIGKILL after what preStop leaves of `grace` seconds; returns when the container ended."""
        attempt = run.attempt
        if attempt is None or attempt.outcome is not None:
            return
        end = asyncio.create_task(attempt.ended())
        now = asyncio.get_running_loop().time
        began = now()
        if await self._pre_stop(run, grace):
            grace = left_of(grace, now() - began)
        attempt.send(signal.SIGTERM)
        done, _pending = await asyncio.wait([end], timeout=max(grace, 0.05))
        if not done:
            attempt.send(signal.SIGKILL)
            await end

    def _settle(self) -> None:
        """Take up the ends that nobody watched."""
        for run in self.runs:
            outcome = run.attempt.outcome if run.attempt else None
            if outcome is not None and "terminated" not in run.state:
                run.end(outcome)

    async def _pre_stop(self, run: ContainerRun, grace: float) -> bool:
        """Run the container's hook, if it has one and there is time for it."""
        hook = child(run.spec, "lifecycle", "preStop")
        if not hook or not grace:
            return False
        if "sleep" in hook:
            await asyncio.sleep(min(grace, float(hook["sleep"]["seconds"])))
        done = True
        if "exec" in hook:
            done = await execute(run.attempt, hook["exec"]["command"], grace)
        if "httpGet" in hook:
            done = await http_get(hook["httpGet"], run.spec, self.address.bind, grace)
        if not done:
            log.warning("%s: %s: preStop did not succeed", self.title, run.name)
        return True

    async def _terminate(self) -> None:
        await asyncio.gather(*self._starting, return_exceptions=True)
        log.info("%s: terminating, grace %g s", self.title, self._grace)
        self.publish()
        mains = [run for run in self.mains if run.attempt]
        await asyncio.gather(*(self._kill(run, self._grace) for run in mains))
        await asyncio.gather(*(self._kill(run, self._grace) for run in self.inits if run.attempt))
        self._settle()
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        await self._status.write()
        await self._status.persist(lambda: self._api.delete(self.path, options))

    async def _refuse(self, reason: str) -> None:
        self.refused = reason
        log.warning("%s: refused: %s", self.title, reason)
        await asyncio.gather(*(self._kill(run, self._grace) for run in self.runs))
        for run in self.runs:
            if not run.running and not isinstance(run.program, Omitted):
                run.wait("CorralRefused", reason)
        self.publish()

    def _body(self) -> Object:
        return status(
            self.pod,
            self.inits,
            self.mains,
            pod_ip=self.address.pod_ip,
            begun=self._begun,
            refused=self.refused,
        )

    async def _refresher(self) -> None:
        """Keep the content of volumes and tokens fresh while containers run."""
        seen = self._changed.count
        while True:
            renewal = self.files.tokens.next_renewal
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if renewal is None else max(1.0, renewal - time.time())):
                    await self._changed.since(seen)
            seen = self._changed.count
            if any(run.running for run in self.runs):
                try:
                    await self.files.prepare(self.pod, self.address.fields)
                except (Missing, Refused, ApiError, httpx.TransportError, OSError) as cause:
                    log.warning("%s: volumes stay as they were: %s", self.title, cause)
