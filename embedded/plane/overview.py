"""What runs on a plane, and as what: read from its API, and processes from this machine."""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from corral.catalogue.serving_kinds import LLM_PART, NAME_LABEL, SERVICE_LABEL, served_names
from corral.catalogue.vocabulary import ServingKind
from corral.embedded.home import PlaneHome
from corral.embedded.kube import Api, ApiError, Object, Objects, resource
from corral.embedded.objects import at, child, children, condition, is_true, title
from corral.embedded.plane.processes import Process

Kind = Literal["process", "simulated", "refused", "pending", "container"]
Devices = Mapping[tuple[str, str], tuple[str, ...]]
"""Allocated devices of each ResourceClaim, by namespace and name."""
POD_CONDITIONS: Mapping[str, Kind] = {
    "corral.dev/Refused": "refused",
    "corral.dev/Process": "process",
    "corral.dev/Simulated": "simulated",
}
"""Conditions that the process node writes, the most telling first."""
SETTLE_SECONDS = 120.0
"""How long pods may take to be ready, once the engine is done."""
GPU_RESOURCES = "nvidia.com/"


@dataclass(frozen=True)
class PodView:
    """One pod."""

    namespace: str
    name: str
    uid: str
    kind: Kind
    state: str
    """`ready`, `done`, else the phase or the reason in the way, in one word."""
    processes: tuple[Process, ...]
    devices: tuple[str, ...]
    """Devices allocated to it, as `node/device` or `node/resource`."""
    model: str | None
    """InferenceService or LLMInferenceService it belongs to."""
    omitted: str = ""
    """Containers that do not run here, each with its reason; empty: none."""
    note: str = ""
    """More than `state` says, such as why the pod was refused."""

    @property
    def fine(self) -> bool:
        return self.state in ("ready", "done")

    @property
    def memory(self) -> int:
        """Resident memory of its processes, in bytes."""
        return sum(process.memory for process in self.processes)


@dataclass(frozen=True)
class Overview:
    """All pods, by namespace and name."""

    pods: tuple[PodView, ...]

    def of_model(self, namespace: str, model: str) -> tuple[PodView, ...]:
        """Replicas of an InferenceService or LLMInferenceService."""
        return tuple(pod for pod in self.pods if (pod.namespace, pod.model) == (namespace, model))


async def read(plane: PlaneHome) -> Overview:
    """The pods of the plane's cluster."""
    api = Api.connect(plane.kubeconfig, user_agent="corral")
    try:
        pods, claims = await asyncio.gather(
            api.list(resource("v1", "pods")), _list(api, resource("resource.k8s.io/v1", "resourceclaims"))
        )
    finally:
        await api.aclose()
    devices = _devices(claims)
    return _sorted(
        _view(pod, devices, _kind(pod), processes_of(plane, pod["metadata"]["uid"])) for pod in pods
    )


def of_objects(pods: Objects, claims: Objects) -> Overview:
    """Pods of a cluster whose nodes run containers, with the devices that their ResourceClaims have."""
    devices = _devices(claims)
    return _sorted(_view(pod, devices, "container", ()) for pod in pods)


def _devices(claims: Objects) -> Devices:
    return {(c["metadata"]["namespace"], c["metadata"]["name"]): allocated(c) for c in claims}


def _sorted(views: Iterable[PodView]) -> Overview:
    return Overview(tuple(sorted(views, key=lambda view: (view.namespace, view.name))))


def pods_of(kind: ServingKind, name: str) -> str:
    """Label selector of the pods that serve a model."""
    return ",".join(f"{label}={value}" for label, value in served_names(kind, name).pods.items())


def _model(labels: Mapping[str, str]) -> str | None:
    return labels.get(NAME_LABEL if LLM_PART.items() <= labels.items() else SERVICE_LABEL)


async def settled(plane: PlaneHome, seconds: float = SETTLE_SECONDS) -> None:
    """Return once no pod is on its way any more, or after `seconds`.

    Pulumi does not wait for what it left unchanged, such as pods that start again after a `stop`. Refused and
    unplaceable pods are not waited for.
    """
    api = Api.connect(plane.kubeconfig, user_agent="corral")
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await _underway(api):
                    pass
    finally:
        await api.aclose()


async def _underway(api: Api) -> bool:
    """Whether pods are still on their way when the server ends the watch; False as soon as none is."""
    path = resource("v1", "pods")
    items, version = await api.snapshot(path)
    waiting = {title(pod) for pod in items if _on_its_way(pod)}
    if waiting:
        async for event in api.changes(path, version):
            if event.kind == "BOOKMARK":
                continue
            deleted = event.kind == "DELETED"
            stays = await _comes_back(api, event.object) if deleted else _on_its_way(event.object)
            name = title(event.object)
            waiting = waiting | {name} if stays else waiting - {name}
            if not waiting:
                break
    return bool(waiting)


async def _comes_back(api: Api, pod: Object) -> bool:
    """Whether a pod of this name follows the one that is gone, as in a StatefulSet."""
    meta = pod["metadata"]
    for owner in children(pod, "metadata", "ownerReferences"):
        if owner["kind"] == "StatefulSet":
            try:
                path = resource(owner["apiVersion"], "statefulsets", meta["namespace"], owner["name"])
                replicas = (await api.get(path))["spec"]["replicas"]
            except ApiError as error:
                if not error.missing:
                    raise
                return False
            return int(meta["name"].rpartition("-")[2]) < replicas
    return False


def _on_its_way(pod: Object) -> bool:
    unplaceable = (condition(pod, "PodScheduled") or {}).get("reason") == "Unschedulable"
    leaving = "deletionTimestamp" in pod["metadata"]
    return leaving or not (unplaceable or _state(pod) in ("ready", "done", "refused"))


def allocated(claim: Object) -> tuple[str, ...]:
    """Devices of a ResourceClaim, as `pool/device`."""
    results = children(claim, "status", "allocation", "devices", "results")
    return tuple(f"{result['pool']}/{result['device']}" for result in results)


def claims_of(pod: Object) -> list[str]:
    """Names of the ResourceClaims that a pod uses."""
    statuses = children(pod, "status", "resourceClaimStatuses")
    return [status["resourceClaimName"] for status in statuses if status.get("resourceClaimName")]


def extended(pod: Object) -> tuple[str, ...]:
    """Extended resources that a pod has of its node, as `node/resource`; which device it is, nobody tells."""
    node = at(pod, "spec", "nodeName")
    limits = [child(container, "resources", "limits") for container in children(pod, "spec", "containers")]
    counts = {name: count for one in limits for name, count in one.items() if name.startswith(GPU_RESOURCES)}
    words = {name: name if str(count) == "1" else f"{count} x {name}" for name, count in counts.items()}
    return tuple(f"{node}/{word}" for word in words.values()) if node else ()


def processes_of(plane: PlaneHome, uid: str) -> tuple[Process, ...]:
    """Living processes of a pod, without the shims that wait for them."""
    contents = [json.loads(path.read_text()) for path in sorted(plane.pods.glob(f"{uid}/*/*.process.json"))]
    recorded = [Process(content["pid"], content["start"]) for content in contents if "pid" in content]
    return tuple(process for process in recorded if process.alive)


def _view(pod: Object, devices: Devices, kind: Kind, processes: tuple[Process, ...]) -> PodView:
    metadata = pod["metadata"]
    namespace = str(metadata["namespace"])
    return PodView(
        namespace=namespace,
        name=metadata["name"],
        uid=metadata["uid"],
        kind=kind,
        state=_state(pod),
        processes=processes,
        devices=(
            *(device for name in claims_of(pod) for device in devices.get((namespace, name), ())),
            *extended(pod),
        ),
        model=_model(at(pod, "metadata", "labels") or {}),
        omitted=str((condition(pod, "corral.dev/Omitted") or {}).get("message") or ""),
        note="" if is_true(pod, "Ready") else _note(pod),
    )


def _kind(pod: Object) -> Kind:
    kinds: list[Kind] = [kind for name, kind in POD_CONDITIONS.items() if is_true(pod, name)]
    return kinds[0] if kinds else "pending"


def _state(pod: Object) -> str:
    if is_true(pod, "Ready"):
        return "ready"
    if at(pod, "status", "phase") == "Succeeded":
        return "done"
    if is_true(pod, "corral.dev/Refused"):
        return "refused"
    return str(_waiting(pod).get("reason") or at(pod, "status", "phase") or "Pending")


def _note(pod: Object) -> str:
    unscheduled = condition(pod, "PodScheduled") or {}
    scheduling = unscheduled.get("message") if unscheduled.get("status") == "False" else ""
    refusal = (condition(pod, "corral.dev/Refused") or {}).get("message")
    return str(refusal or _waiting(pod).get("message") or scheduling or "")


def _waiting(pod: Object) -> Object:
    kinds = ("initContainerStatuses", "containerStatuses")
    containers = [status for kind in kinds for status in children(pod, "status", kind)]
    waiting: Objects = [child(container, "state", "waiting") for container in containers]
    return next((state for state in waiting if state.get("reason")), waiting[0] if waiting else {})


async def _list(api: Api, path: str) -> Objects:
    try:
        return await api.list(path)
    except ApiError as error:
        if error.missing:
            return []
        raise
