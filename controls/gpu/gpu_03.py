"""No container takes GPUs that it was not allocated."""

from typing import Any

from corral.catalogue.images import image
from corral.controls.cel import ANNOTATIONS, listed, text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod, service
from corral.controls.pods.drivers import drivers

NONE = ["", "none", "void"]
VARIABLES = [
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

_CAPABILITIES = "NVIDIA_DRIVER_CAPABILITIES"
_DEFAULTS = r"^((compute|utility)(,(compute|utility))*)?$"
"""Capabilities of the driver that a container has anyway."""
_INJECTED = "(k.startsWith('cdi.k8s.io/') || k.startsWith('nvidia.cdi.k8s.io/'))"
ENVIRONMENT = (
    f"variables.env.all(l, l.all(e, (!(e.name in {text(VARIABLES)}) || "
    f"(has(e.value) && e.value in {text(NONE)})) && (e.name != '{_CAPABILITIES}' || "
    f"(has(e.value) && e.value.matches({text(_DEFAULTS)})))))"
)
"""CEL: no container takes devices, or more of a driver, by its environment."""
ANNOTATED = " && ".join(f"!{one}.exists(k, {_INJECTED})" for one in ANNOTATIONS)
"""CEL: no annotation has a container runtime inject devices."""
MOUNTS = (
    "variables.containers.all(c, !has(c.volumeMounts) || c.volumeMounts.all(m, "
    f"!has(m.mountPath) || !m.mountPath.matches({text(_MOUNTED)})))"
)
"""CEL: no container names devices by what it mounts."""


def _run_of(pod: str) -> str:
    """CEL: the containers of a pod, those that run first among them."""
    return f"({listed(pod, 'containers')} + {listed(pod, 'initContainers')})"


_ASKS = "has(c.resources) && has(c.resources.limits) && c.resources.limits.exists(k, k.contains('/'))"
_STATES = f"has(c.env) && c.env.exists(e, e.name == {text(VARIABLES[0])})"
_RUNTIME = " && ".join(
    f"(!has({pod}.runtimeClassName) || !{pod}.runtimeClassName.startsWith('nvidia') || "
    f"size({listed(pod, 'resourceClaims')}) > 0 || {_run_of(pod)}.exists(c, {_ASKS}) || "
    f"(size({_run_of(pod)}) > 0 && {_run_of(pod)}.all(c, {_STATES})))"
    for pod in ("variables.pod", "variables.pod1")
)
RUNTIME = f"(!(object.kind in {text(list(POD_KINDS))}) || ({_RUNTIME}))"
"""CEL: no pod without a device has NVIDIA's runtime, which gives those that its image names, mostly all."""


def _running(container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "engine", **container}]
    return {"kind": "Pod", "spec": {"runtimeClassName": "nvidia", "containers": containers, **spec}}


CONTROL = Control(
    id="SOV-GPU-03",
    title="No container takes GPUs that it was not allocated",
    severity=Severity.HIGH,
    sources=("GDPR 32", "NVIDIA container toolkit"),
    remedy="Ask by `limits` or by a ResourceClaim; leave NVIDIA_VISIBLE_DEVICES out, or set it to void.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {
            "devices": text(_DEVICES),
            "drivers": text(drivers(profile)),
        },
        expression=(
            f"({ENVIRONMENT} && {ANNOTATED} && {MOUNTS} && {RUNTIME} && "
            "variables.volumes.all(v, !has(v.hostPath) || !has(v.hostPath.path) || "
            "!v.hostPath.path.matches(variables.devices))) || "
            "(size(variables.images) > 0 && variables.images.all(i, i.matches(variables.drivers)))"
        ),
        message="a container takes GPUs past the scheduler",
        instead="the guard `corral-devices` at the API server, in the namespaces of tenants",
    ),
    not_enforced=(
        "NVIDIA's runtime for a container that asks for no device beside one of its pod that "
        "does, nor in KServe's own kinds",
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
        Case(
            "all, beside a driver of the catalogue",
            Verdict.BAD,
            {
                "kind": "Pod",
                "spec": {
                    "initContainers": [{"name": "i", "image": image("dra-driver").reference()}],
                    "containers": [
                        {
                            "name": "c",
                            "image": "engine",
                            "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}],
                        }
                    ],
                },
            },
        ),
        *(
            Case(f"NVIDIA's runtime, {title}", verdict, _running(container, **spec))
            for title, verdict, container, spec in (
                ("no device", Verdict.BAD, {}, {}),
                ("a request of memory alone", Verdict.BAD, {"resources": {"limits": {"memory": "1Gi"}}}, {}),
                ("a GPU", Verdict.GOOD, {"resources": {"limits": {"nvidia.com/gpu": "1"}}}, {}),
                ("a claim", Verdict.GOOD, {}, {"resourceClaims": [{"name": "g"}]}),
            )
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
            for name in VARIABLES[1:]
        ),
        Case(
            "a mount that the runtime reads devices from",
            Verdict.BAD,
            pod(volumeMounts=[{"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"}]),
        ),
        Case("another mount", Verdict.GOOD, pod(volumeMounts=[{"name": "v", "mountPath": "/var/run/app"}])),
        *(
            Case(f"capabilities {value}", verdict, pod(env=[{"name": _CAPABILITIES, "value": value}]))
            for value, verdict in (
                ("compute,utility", Verdict.GOOD),
                ("all", Verdict.BAD),
                ("compute,display", Verdict.BAD),
            )
        ),
        *(
            Case(
                f"annotation {key}",
                verdict,
                {"kind": "Pod", "metadata": {"annotations": {key: "nvidia.com/gpu=all"}}, "spec": {}},
            )
            for key, verdict in (
                ("cdi.k8s.io/gpu", Verdict.BAD),
                ("nvidia.cdi.k8s.io/container.c", Verdict.BAD),
                ("example.eu/cdi", Verdict.GOOD),
            )
        ),
        Case(
            "an annotation of a template",
            Verdict.BAD,
            {
                "kind": "Deployment",
                "spec": {"template": {"metadata": {"annotations": {"cdi.k8s.io/gpu": "a"}}, "spec": {}}},
            },
        ),
        Case("not known yet", Verdict.UNDECIDED, pod(env=UNKNOWN)),
    ),
)
