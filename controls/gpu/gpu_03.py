"""No container takes GPUs that it was not allocated."""

from corral.catalogue.images import image
from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod, service
from corral.controls.pods.drivers import drivers

_NONE = ["", "none", "void"]
_VARIABLES = [
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_MIG_CONFIG_DEVICES",
    "NVIDIA_MIG_MONITOR_DEVICES",
    "NVIDIA_IMEX_CHANNELS",
    "AMD_VISIBLE_DEVICES",
    "HABANA_VISIBLE_DEVICES",
]
"""What container runtimes read devices from."""
_DEVICES = r"^/+dev/*$|^/+dev/+(nvidia|dri|kfd|accel|infiniband)|^/+var/lib/kubelet/device-plugins/*$"
"""Paths of devices on a node, and of the sockets by which it learns of them."""
_MOUNTED = r"^/+var/run/nvidia-container-devices/"
"""Where NVIDIA's runtime reads devices from the mounts of a container."""

CONTROL = Control(
    id="SOV-GPU-03",
    title="No container takes GPUs that it was not allocated",
    severity=Severity.HIGH,
    sources=("GDPR 32", "NVIDIA container toolkit"),
    remedy="Ask by `limits` or by a ResourceClaim; leave NVIDIA_VISIBLE_DEVICES out, or set it to void.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {
            "noDevices": text(_NONE),
            "devices": text(_DEVICES),
            "drivers": text(drivers(profile)),
        },
        expression=(
            "variables.images.exists(i, i.matches(variables.drivers)) || ("
            f"variables.env.all(l, l.all(e, !(e.name in {text(_VARIABLES)}) || "
            "(has(e.value) && e.value in variables.noDevices))) && "
            "variables.volumes.all(v, !has(v.hostPath) || !has(v.hostPath.path) || "
            "!v.hostPath.path.matches(variables.devices)) && "
            "variables.containers.all(c, !has(c.volumeMounts) || c.volumeMounts.all(m, "
            f"!has(m.mountPath) || !m.mountPath.matches({text(_MOUNTED)}))))"
        ),
        message="a container takes GPUs past the scheduler",
        admitted=False,
    ),
    cases=(
        Case("nothing said", Verdict.GOOD, pod()),
        Case("none", Verdict.GOOD, pod(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "none"}])),
        Case("void", Verdict.GOOD, pod(env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}])),
        Case(
            "all, for a driver of the catalogue",
            Verdict.GOOD,
            pod(
                image=image("dra-driver").reference(),
                env=[{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}],
            ),
        ),
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
                ("/dev", Verdict.BAD),
                ("/var/lib/kubelet/device-plugins", Verdict.BAD),
                ("/dev/fuse", Verdict.GOOD),
                ("/var/log", Verdict.GOOD),
            )
        ),
        *(
            Case(f"{name} is 0", Verdict.BAD, pod(env=[{"name": name, "value": "0"}]))
            for name in _VARIABLES[1:]
        ),
        Case(
            "a mount that the runtime reads devices from",
            Verdict.BAD,
            pod(volumeMounts=[{"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"}]),
        ),
        Case("another mount", Verdict.GOOD, pod(volumeMounts=[{"name": "v", "mountPath": "/var/run/app"}])),
        Case("not known yet", Verdict.UNDECIDED, pod(env=UNKNOWN)),
    ),
)
