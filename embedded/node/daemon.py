"""The process node of one plane: sees every pod that is bound to a machine and does its part."""

import asyncio
import importlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from corral.embedded.home import PlaneHome, private_directory
from corral.embedded.informer import Informer
from corral.embedded.kube import Api, ApiError, Object, resource
from corral.embedded.node import logs
from corral.embedded.node.addresses import Addresses
from corral.embedded.node.attempts import SHIM
from corral.embedded.node.classify import HOOK, SIMULATED, Decision, Find, classify, finder
from corral.embedded.node.context import NodeContext
from corral.embedded.node.endpoints import bind_address
from corral.embedded.node.identity import authority
from corral.embedded.node.launcher import Address
from corral.embedded.node.pod_files import NodeSettings, PodFiles
from corral.embedded.node.sources import Sources
from corral.embedded.node.status_patches import failed, refused, simulated
from corral.embedded.node.worker import PodWorker
from corral.embedded.objects import children, condition, is_true
from corral.embedded.plane.record import PlaneRecord

log = logging.getLogger("corral.node")
PODS = resource("v1", "pods")
NEIGHBOURS = ("network", "storage")
"""Modules of this package whose `run(context)` belongs to the node."""


class Node:
    """Classifies pods and keeps one worker per pod that runs here."""

    def __init__(
        self, context: NodeContext, settings: NodeSettings, find: Find, fail: Callable[[BaseException], None]
    ):
        self._context = context
        self._settings = settings
        self._find = find
        self._fail = fail
        self._addresses = Addresses(context.home.pods, context.record.pod_octet)
        self._workers: dict[str, PodWorker] = {}
        self._others: dict[str, Decision] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def on_pod(self, kind: Literal["set", "gone"], pod: Object) -> None:
        """A pod appeared, changed or went."""
        uid = str(pod["metadata"]["uid"])
        worker = self._workers.get(uid)
        if kind == "gone":
            await self._removed(uid)
        elif worker is not None:
            worker.update(pod)
        elif pod["spec"].get("nodeName"):
            await self._add(pod)

    async def _add(self, pod: Object) -> None:
        uid = str(pod["metadata"]["uid"])
        known = self._others.get(uid)
        decision = known or await self._classify(pod)
        if known is None:
            log.info("%s/%s: %s: %s", *_names(pod), decision.classification, decision.message)
        if decision.classification == "process":
            self._start_worker(pod, decision)
            return
        path = resource("v1", "pods", *_names(pod), "status")
        if known is None and decision.classification == "simulated" and not is_true(pod, SIMULATED):
            await self._write_status(path, simulated(pod, decision))
        elif known is None and decision.classification == "refused":
            body = failed(pod, decision) if decision.failed else refused(pod, decision)
            await self._write_status(path, body)
        elif decision.classification == "refused" and pod["metadata"].get("deletionTimestamp"):
            options: Object = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
            await self._context.api.delete(path.removesuffix("/status"), options)
        # Last, so that a pod whose status was not accepted yet is met again.
        self._others[uid] = decision

    async def _write_status(self, path: str, body: Object) -> None:
        """Patch a pod's status.

        Raises:
            ApiError: the server may accept it later; the informer hands the pod in again.
        """
        try:
            await self._context.api.patch(path, body, kind="strategic")
        except ApiError as error:
            if error.temporary:
                raise
            log.error("%s: the API server refused: %s", path, error)

    async def _classify(self, pod: Object) -> Decision:
        if is_true(pod, SIMULATED):
            return Decision(
                "simulated", "NoProgram", str((condition(pod, SIMULATED) or {}).get("message") or "")
            )
        return classify(pod, self._find, await self._is_hook(pod))

    async def _is_hook(self, pod: Object) -> bool:
        metadata = pod["metadata"]
        if HOOK in (metadata.get("annotations") or {}):
            return True
        owner = next((o for o in children(pod, "metadata", "ownerReferences") if o["kind"] == "Job"), None)
        if owner is None:
            return False
        jobs = await self._context.api.list(
            resource("batch/v1", "jobs", metadata["namespace"]),
            fieldSelector=f"metadata.name={owner['name']}",
        )
        return any(HOOK in (job["metadata"].get("annotations") or {}) for job in jobs)

    def _start_worker(self, pod: Object, decision: Decision) -> None:
        uid, (namespace, name) = str(pod["metadata"]["uid"]), _names(pod)
        folder = private_directory(self._context.home.pods / uid)
        containers = [c["name"] for c in pod["spec"]["containers"]]
        record = {"namespace": namespace, "name": name, "containers": containers}
        pod_ip = self._addresses.take(uid, folder, record)
        worker = PodWorker(
            pod,
            decision,
            PodFiles(self._settings, folder),
            Address(pod_ip, bind_address(pod_ip)),
            self._context.record.api_port,
        )
        self._workers[uid] = worker
        worker.update(pod)
        task = asyncio.create_task(worker.run(), name=f"pod {namespace}/{name}")
        task.add_done_callback(self._ended)
        self._tasks[uid] = task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self._fail(task.exception() or RuntimeError(task.get_name()))

    async def _removed(self, uid: str) -> None:
        """The pod is no longer in the API: whatever is left of it ends at once."""
        worker, task = self._workers.pop(uid, None), self._tasks.pop(uid, None)
        if worker is not None and task is not None:
            await worker.abandon(task)
        self._others.pop(uid, None)
        await self._clear(uid)

    async def _clear(self, uid: str) -> None:
        self._addresses.release(uid)
        for link in self._context.home.pods.glob(f"{uid}/*/tmp"):
            await asyncio.to_thread(_remove, link.readlink())
        if (self._context.home.pods / uid).is_dir():
            await asyncio.to_thread(logs.keep, self._context.home, uid)

    async def sweep(self, uids: set[str]) -> None:
        """Remove what pods left that went while no node ran."""
        for folder in list(self._context.home.pods.glob("*")):
            if folder.name not in uids:
                await PodWorker.end_leftovers(folder)
                await self._clear(folder.name)

    def notify(self, kind: str, item: Object) -> None:
        """Something that pods refer to changed."""
        del kind
        namespace = item["metadata"].get("namespace")
        for worker in self._workers.values():
            if namespace in (None, worker.pod["metadata"]["namespace"]):
                worker.notify()

    async def detach(self) -> None:
        """Stop looking after the pods; their processes go on."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


def _names(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=not folder.exists())


def can_mount(home: PlaneHome) -> bool:
    """Whether processes can have a mount namespace here; not when `CORRAL_NODE_MOUNTS=mapped`."""
    if os.environ.get("CORRAL_NODE_MOUNTS") == "mapped":
        return False
    with tempfile.TemporaryDirectory(dir=private_directory(home.run)) as folder:
        tried = subprocess.run(
            [sys.executable, "-I", "-S", str(SHIM), "--try", folder], capture_output=True, text=True, cwd="/"
        )
    if tried.returncode != 0:
        reason = tried.stderr.strip().splitlines()[-1:]
        log.warning("no mount namespaces here, mounts are mapped: %s", reason)
    return tried.returncode == 0


def short_folder(home: PlaneHome) -> Path:
    """Folder for Unix sockets: the plane's own when its path is short, else in the user's runtime folder."""
    near = home.run / "t"
    if len(str(near)) <= 60:
        return near
    base = os.environ.get("XDG_RUNTIME_DIR") or f"{tempfile.gettempdir()}/corral-{os.getuid()}"
    return Path(base) / f"corral-{home.name}"


async def run(home: PlaneHome) -> None:
    """Run the node until cancelled.

    Raises:
        NoPlane: the plane was never started.
    """
    record = PlaneRecord.load(home)
    private_directory(home.pods)
    api = Api.connect(home.kubeconfig, user_agent="corral-node")
    informers: dict[str, Informer] = {}

    def informer(name: str, version: str, plural: str, **params: str) -> Informer:
        informers[name] = Informer(
            api, resource(version, plural), lambda kind, item: node.notify(kind, item), **params
        )
        return informers[name]

    sources = Sources(
        secrets=informer("secrets", "v1", "secrets", fieldSelector="type!=helm.sh/release.v1").items,
        config_maps=informer("config_maps", "v1", "configmaps").items,
        claims=informer("claims", "v1", "persistentvolumeclaims").items,
        volumes=informer("volumes", "v1", "persistentvolumes").items,
        services=informer("services", "v1", "services").items,
        resource_claims=informer("resource_claims", "resource.k8s.io/v1", "resourceclaims").items,
    )
    hidden = [home.root.parent]
    if os.getuid() != 0 and Path.home().is_dir() and Path.home().stat().st_uid == os.getuid():
        hidden.append(Path.home())
    settings = NodeSettings(
        api=api,
        sources=sources,
        server=record.server,
        authority=authority(home.kubeconfig),
        real_paths=can_mount(home),
        short=short_folder(home),
        hidden=tuple(hidden),
        disks=home.disks,
    )
    context = NodeContext(api, home, record)
    crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(cause: BaseException) -> None:
        if not crash.done():
            crash.set_exception(cause)

    node = Node(context, settings, finder(settings.real_paths), fail)
    try:
        async with asyncio.TaskGroup() as group:
            for each in informers.values():
                group.create_task(each.run())
            for name in NEIGHBOURS:
                group.create_task(importlib.import_module(f"corral.embedded.node.{name}").run(context))
            for each in informers.values():
                await each.synced.wait()
            pods = Informer(api, PODS, node.on_pod)
            group.create_task(pods.run())
            await pods.synced.wait()
            await node.sweep({str(pod["metadata"]["uid"]) for pod in pods.items.values()})
            log.info("node of plane %s is watching %d pods", home.name, len(pods.items))
            await crash
    finally:
        await node.detach()
        await api.aclose()
