"""A pod's status from the states of its containers."""

import time
from collections.abc import Sequence

from corral.embedded.kube import Object, Objects
from corral.embedded.node.classify import OMITTED, PROCESS, REFUSED
from corral.embedded.node.containers import ContainerRun, timestamp
from corral.embedded.node.program_spec import Omitted
from corral.embedded.objects import at, children, condition, is_true


def is_finished(pod: Object) -> bool:
    """Whether the pod ended for good, by its status in the API."""
    return at(pod, "status", "phase") in ("Succeeded", "Failed")


def phase(pod: Object, inits: Sequence[ContainerRun], mains: Sequence[ContainerRun]) -> str:
    """Pending, Running, Succeeded or Failed, by the pod's restart policy."""
    policy = pod["spec"].get("restartPolicy", "Always")
    real = [run for run in mains if not isinstance(run.program, Omitted)]
    failed_init = [r for r in inits if r.outcome and r.outcome.code != 0 and not r.sidecar]
    if policy == "Never" and failed_init:
        return "Failed"
    if all(r.attempt is None for r in real):
        return "Pending"
    ends = [run.outcome for run in real]
    serving = any(run.running for run in inits if run.sidecar)
    if policy == "Always" or serving or any(end is None for end in ends):
        return "Running"
    if all(end is not None and end.code == 0 for end in ends):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def conditions(
    pod: Object, inits: Sequence[ContainerRun], mains: Sequence[ContainerRun], refused: str | None
) -> Objects:
    """The pod's conditions; transition times are kept while a status stays the same."""
    initialized = all(run.started if run.sidecar else run.ready for run in inits)
    finished = phase(pod, inits, mains) in ("Succeeded", "Failed")
    all_ready = not finished and all(r.ready for r in (*mains, *(r for r in inits if r.sidecar)))
    gates = [g["conditionType"] for g in children(pod, "spec", "readinessGates")]
    closed = [gate for gate in gates if not is_true(pod, gate)]
    begun = any(run.attempt for run in (*inits, *mains))
    unready = [run.name for run in mains if not run.ready]
    why = "PodCompleted" if finished else "ContainersNotReady"
    message = f"containers with unready status: {unready}"
    omitted = [f"{r.name}: {r.program.why}" for r in (*inits, *mains) if isinstance(r.program, Omitted)]
    stated: list[tuple[str, bool, str, str]] = [
        ("PodReadyToStartContainers", begun, "", ""),
        ("Initialized", initialized, "" if initialized else "ContainersNotInitialized", ""),
        ("ContainersReady", all_ready, "" if all_ready else why, "" if all_ready else message),
        ("PodScheduled", True, "", ""),
        (PROCESS, refused is None, "Program" if refused is None else "CorralRefused", refused or ""),
    ]
    if all_ready and closed:
        stated.append(("Ready", False, "ReadinessGatesNotReady", f"conditions not true: {closed}"))
    else:
        stated.append(("Ready", all_ready, "" if all_ready else why, "" if all_ready else message))
    if omitted:
        stated.append((OMITTED, True, "Omitted", "; ".join(omitted)))
    if refused is not None:
        stated.append((REFUSED, True, "CorralRefused", refused))
    return [_condition(pod, *entry) for entry in stated]


def _condition(pod: Object, kind: str, true: bool, reason: str, message: str) -> Object:
    value = "True" if true else "False"
    old = condition(pod, kind)
    kept = old is not None and old["status"] == value and old.get("lastTransitionTime")
    return {
        "type": kind,
        "status": value,
        "reason": reason or None,
        "message": message or None,
        "lastTransitionTime": kept or timestamp(time.time()),
    }


def status(
    pod: Object,
    inits: Sequence[ContainerRun],
    mains: Sequence[ContainerRun],
    *,
    pod_ip: str,
    begun: float,
    refused: str | None = None,
    failed: tuple[str, str] | None = None,
) -> Object:
    """The body of a strategic patch of `pods/status`; the UID keeps it from a later pod of the same name.

    Args:
        pod_ip: the pod's address, empty before it has one.
        begun: when the node took the pod, seconds since the epoch.
        refused: why the pod does not run.
        failed: reason and message of a pod that the node itself ended.
    """
    body: Object = {
        "phase": "Failed" if failed else phase(pod, inits, mains),
        "conditions": conditions(pod, inits, mains, refused),
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "startTime": timestamp(begun),
        "containerStatuses": [run.status() for run in mains],
        "initContainerStatuses": [run.status() for run in inits],
    }
    if pod_ip:
        body.update(podIP=pod_ip, podIPs=[{"ip": pod_ip}])
    if failed:
        body.update(reason=failed[0], message=failed[1])
    return {"metadata": {"uid": pod["metadata"]["uid"]}, "status": body}
