"""Which feature gates the DRA driver runs with: read from its DaemonSet, as the chart renders it.

Gates, defaults and rules are those of NVIDIA's DRA driver for GPUs 0.4.1 (kubernetes-sigs/
dra-driver-nvidia-gpu v0.4.1, pkg/featuregates/featuregates.go, read 2026-11-25). `AllAlpha` and `AllBeta`
are not simulated.
"""

from collections.abc import Iterable

from corral.embedded.hardware.geometry import Impossible
from corral.embedded.kube import Object
from corral.embedded.objects import child, children

DYNAMIC_MIG = "DynamicMIG"
COMPONENT_LABEL = ("dra-driver-nvidia-gpu-component", "kubelet-plugin")
"""Label of the kubelet plugin's pods."""
CONTAINER = "gpus"
"""The container that publishes GPUs; the chart leaves it out with `resources.gpus.enabled: false`."""
VARIABLE = "FEATURE_GATES"
GATES = {
    "TimeSlicingSettings": False,
    "MPSSupport": False,
    "IMEXDaemonsWithDNSNames": True,
    "PassthroughSupport": False,
    DYNAMIC_MIG: False,
    "NVMLDeviceHealthCheck": False,
    "ComputeDomainCliques": True,
    "CrashOnNVLinkFabricErrors": True,
    "DeviceMetadata": False,
    "ContextualLogging": True,
    "LoggingAlphaOptions": False,
    "LoggingBetaOptions": True,
}
"""Every gate, and whether it is on by default."""
EXCLUSIVE = (
    (DYNAMIC_MIG, "PassthroughSupport"),
    (DYNAMIC_MIG, "NVMLDeviceHealthCheck"),
    (DYNAMIC_MIG, "MPSSupport"),
    ("PassthroughSupport", "NVMLDeviceHealthCheck"),
)
NEEDS = (("ComputeDomainCliques", "IMEXDaemonsWithDNSNames"), ("DeviceMetadata", "PassthroughSupport"))
"""Gates, each with the one that must be on too."""
WORDS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
"""Booleans as Go's strconv.ParseBool reads them."""


def plugin(daemon: Object) -> Object | None:
    """The container of a DaemonSet that is the DRA driver for GPUs; None when it is another's."""
    if not is_plugin(child(daemon, "spec", "template")):
        return None
    containers = children(daemon, "spec", "template", "spec", "containers")
    return next((one for one in containers if one.get("name") == CONTAINER), None)


def is_plugin(pod: Object) -> bool:
    """Whether a pod, or a pod template, is the DRA driver's."""
    label, value = COMPONENT_LABEL
    return child(pod, "metadata", "labels").get(label) == value


def enabled(daemons: Iterable[Object]) -> frozenset[str]:
    """Gates that are on; none while no DaemonSet is the driver's.

    Raises:
        Impossible: the driver would not start with such gates, or several drivers serve the same GPUs.
    """
    plugins = [one for one in map(plugin, daemons) if one is not None]
    if len(plugins) > 1:
        raise Impossible(f"{len(plugins)} DaemonSets are DRA drivers of the same GPUs")
    if not plugins:
        return frozenset()
    texts = [
        str(one.get("value") or "") for one in children(plugins[0], "env") if one.get("name") == VARIABLE
    ]
    return _checked({**GATES, **_parsed(texts[-1] if texts else "")})


def _parsed(text: str) -> dict[str, bool]:
    gates: dict[str, bool] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, word = (part.strip() for part in entry.partition("="))
        if not equals or word not in WORDS:
            raise Impossible(f"{VARIABLE}: {entry!r}: allowed: name=true or name=false")
        if name not in GATES:
            raise Impossible(f"{VARIABLE}: unknown feature gate {name!r}; allowed: {', '.join(GATES)}")
        gates[name] = WORDS[word]
    return gates


def _checked(gates: dict[str, bool]) -> frozenset[str]:
    for one, other in EXCLUSIVE:
        if gates[one] and gates[other]:
            raise Impossible(f"{VARIABLE}: {one} and {other} exclude each other")
    for one, other in NEEDS:
        if gates[one] and not gates[other]:
            raise Impossible(f"{VARIABLE}: {one} needs {other}")
    return frozenset(name for name, on in gates.items() if on)
