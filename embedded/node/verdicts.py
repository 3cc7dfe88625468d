"""Status patches for pods that do not run here as processes."""

import time

from corral.embedded.kube import Object
from corral.embedded.node.classify import REFUSED, SIMULATED, Verdict, every_container
from corral.embedded.node.containers import timestamp


def _mark(pod: Object, kind: str, verdict: Verdict, **status: object) -> Object:
    mark = {
        "type": kind,
        "status": "True",
        "reason": verdict.reason,
        "message": verdict.message,
        "lastTransitionTime": timestamp(time.time()),
    }
    return {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"conditions": [mark], **status}}


def simulated(pod: Object, verdict: Verdict) -> Object:
    """From here on the pod is KWOK's."""
    return _mark(pod, SIMULATED, verdict)


def refused(pod: Object, verdict: Verdict) -> Object:
    """The pod stays Pending; each container says why."""
    waiting = {"waiting": {"reason": verdict.reason, "message": verdict.message}}
    init = len(pod["spec"].get("initContainers") or [])
    told = [
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
    return _mark(
        pod,
        REFUSED,
        verdict,
        phase="Pending",
        initContainerStatuses=told[:init],
        containerStatuses=told[init:],
    )


def failed(pod: Object, verdict: Verdict) -> Object:
    """The pod fails for good."""
    return _mark(pod, REFUSED, verdict, phase="Failed", reason=verdict.reason, message=verdict.message)
