"""No container takes GPUs that it was not allocated."""

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod, service

_NONE = ["", "none", "void"]
_DEVICES = r"^/dev/(nvidia|dri|kfd)"
"""Paths of devices on a node, given to whoever mounts them."""

CONTROL = Control(
    id="SOV-GPU-03",
    title="No container takes GPUs that it was not allocated",
    severity=Severity.HIGH,
    sources=("GDPR 32", "NVIDIA container toolkit"),
    remedy="Ask by `limits` or by a ResourceClaim; leave NVIDIA_VISIBLE_DEVICES out, or set it to void.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {"noDevices": text(_NONE), "devices": text(_DEVICES)},
        expression=(
            "variables.env.all(l, l.all(e, e.name != 'NVIDIA_VISIBLE_DEVICES' || "
            "(has(e.value) && e.value in variables.noDevices))) && "
            "variables.volumes.all(v, !has(v.hostPath) || !has(v.hostPath.path) || "
            "!v.hostPath.path.matches(variables.devices))"
        ),
        message="a container takes GPUs past the scheduler",
        admitted=False,
    ),
    cases=(
        Case("nothing said", Verdict.GOOD, pod()),
        Case("none", Verdict.GOOD, pod(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "none"}])),
        Case("void", Verdict.GOOD, pod(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}])),
        Case("all", Verdict.BAD, pod(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}])),
        Case("one by its number", Verdict.BAD, pod(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "0"}])),
        Case(
            "from somewhere else",
            Verdict.BAD,
            pod(
                env=[
                    {
                        "name": "NVIDIA_VISIBLE_DEVICES",
                        "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}},
                    }
                ]
            ),
        ),
        Case(
            "a model's own environment",
            Verdict.BAD,
            service(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]),
        ),
        Case(
            "in an init container",
            Verdict.BAD,
            {
                "kind": "Pod",
                "spec": {
                    "containers": [{"name": "c"}],
                    "initContainers": [
                        {"name": "i", "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}
                    ],
                },
            },
        ),
        *(
            Case(
                f"a volume at {path}",
                verdict,
                {
                    "kind": "Pod",
                    "spec": {
                        "containers": [{"name": "c"}],
                        "volumes": [{"name": "v", "hostPath": {"path": path}}],
                    },
                },
            )
            for path, verdict in (
                ("/dev/nvidia0", Verdict.BAD),
                ("/dev/nvidia-uvm", Verdict.BAD),
                ("/var/log", Verdict.GOOD),
            )
        ),
        Case("not known yet", Verdict.UNDECIDED, pod(env=UNKNOWN)),
    ),
)
