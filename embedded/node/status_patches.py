"""Status patches for pods that do not run here as processes."""

import time

from corral.embedded.kube import Object
from corral.embedded.node.classify import REFUSED, SIMULATED, Decision, every_container
from corral.embedded.node.containers import timestamp


def _with_condition(pod: Object, kind: str, decision: Decision, **status: object) -> Object:
    condition = {
        "type": kind,
        "status": "True",
        "reason": decision.reason,
        "message": decision.message,
        "lastTransitionTime": timestamp(time.time()),
    }
    return {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"conditions": [condition], **status}}


def simulated(pod: Object, decision: Decision) -> Object:
    """From here on the pod is KWOK's."""
    return _with_condition(pod, SIMULATED, decision)


def refused(pod: Object, decision: Decision) -> Object:
    """The pod stays Pending; each container says why."""
    waiting = {"waiting": {"reason": decision.reason, "message": decision.message}}
    init = len(pod["spec"].get("initContainers") or [])
    statuses = [
        {
            "name": c["name"],
            "image": c["image"],
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": waiting,
        }
        for c in every_container(pod)
    ]
    return _with_condition(
        pod,
        REFUSED,
        decision,
        phase="Pending",
        initContainerStatuses=statuses[:init],
        containerStatuses=statuses[init:],
    )


def failed(pod: Object, decision: Decision) -> Object:
    """The pod fails for good."""
    return _with_condition(
        pod, REFUSED, decision, phase="Failed", reason=decision.reason, message=decision.message
    )
