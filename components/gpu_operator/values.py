"""Values of the GPU operator's and the DRA driver's charts."""

from enum import Enum
from typing import Any

from corral.catalogue.images import mirrored
from corral.components.gpu_operator.device_plugin import STRATEGY, WHOLE
from corral.components.supply import Supply

MIG_CONFIG_MAP = "corral-mig-parted"
DEVICE_PLUGIN_CONFIG_MAP = "corral-device-plugin"
SHARING = {"config": {"name": DEVICE_PLUGIN_CONFIG_MAP, "default": WHOLE}}
MIG_MANAGER = {"enabled": True, "config": {"name": MIG_CONFIG_MAP}}
RESOURCE_API = "resource.k8s.io/v1"


class DriverSource(str, Enum):
    """Who brings the kernel driver and the container toolkit onto a GPU node."""

    NODE_IMAGE = "node-image"
    OPERATOR = "operator"


DRIVER_ROOT = {DriverSource.NODE_IMAGE: "/", DriverSource.OPERATOR: "/run/nvidia/driver"}
"""Where the driver's files lie on a node."""

OPERANDS = {
    "operator": "nvcr.io/nvidia",
    "validator": "nvcr.io/nvidia",
    "driver": "nvcr.io/nvidia",
    "toolkit": "nvcr.io/nvidia/k8s",
    "devicePlugin": "nvcr.io/nvidia",
    "gfd": "nvcr.io/nvidia",
    "migManager": "nvcr.io/nvidia/cloud-native",
    "dcgmExporter": "nvcr.io/nvidia/k8s",
    "ccManager": "nvcr.io/nvidia/cloud-native",
}
"""Upstream repository of each operand that runs; the chart has no global registry."""


def operator_values(
    driver: DriverSource,
    *,
    device_plugin: bool,
    monitors: bool,
    supply: Supply,
    dynamic_mig: bool = False,
) -> dict[str, Any]:
    """Values of chart `gpu-operator`: who owns driver and devices, our MIG layouts, metrics, image sources.

    `device_plugin` is off where a DRA driver hands out the GPUs: both on one node give a GPU away twice. The
    MIG manager is off with `dynamic_mig`: the DRA driver cuts, and nobody else may meanwhile.
    """
    by_operator = driver is DriverSource.OPERATOR
    values: dict[str, Any] = {
        "driver": {"enabled": by_operator},
        "toolkit": {"enabled": by_operator},
        "devicePlugin": {"enabled": device_plugin, **(SHARING if device_plugin else {})},
        "mig": {"strategy": STRATEGY},
        "migManager": {"enabled": False} if dynamic_mig else MIG_MANAGER,
        "dcgmExporter": {"enabled": True, "serviceMonitor": {"enabled": monitors, "interval": "30s"}},
    }
    for operand, source in _sources(supply).items():
        values[operand] = {**values.get(operand, {}), **source}
    return values


def _sources(supply: Supply) -> dict[str, dict[str, Any]]:
    """What each operand needs to pull its image from the mirror; nothing without one."""
    sources: dict[str, dict[str, Any]] = {}
    if "registry" in supply:
        registry = supply["registry"]
        sources = {name: {"repository": mirrored(host, registry)} for name, host in OPERANDS.items()}
        sources["driver"]["manager"] = {"repository": mirrored("nvcr.io/nvidia/cloud-native", registry)}
        discovery = mirrored("registry.k8s.io/nfd/node-feature-discovery", registry)
        sources["node-feature-discovery"] = {"image": {"repository": discovery}}
    if "pull_secret" in supply:
        secret = supply["pull_secret"]
        for name in OPERANDS:
            sources.setdefault(name, {})["imagePullSecrets"] = [secret]
        sources.setdefault("node-feature-discovery", {})["imagePullSecrets"] = [{"name": secret}]
    return sources


def dra_values(driver: DriverSource, *, supply: Supply, dynamic_mig: bool = False) -> dict[str, Any]:
    """Values of chart `dra-driver-nvidia-gpu`: GPUs and MIG slices through DRA, no compute domains.

    `gpuResourcesEnabledOverride` says that no device plugin shares the nodes; the chart refuses without it.
    `dynamic_mig` is an alpha gate of the driver, which excludes its health checks, MPS and passthrough.
    """
    values: dict[str, Any] = {
        "gpuResourcesEnabledOverride": True,
        "nvidiaDriverRoot": DRIVER_ROOT[driver],
        "resourceApiVersion": RESOURCE_API,
        "resources": {"computeDomains": {"enabled": False}},
    }
    if dynamic_mig:
        values["featureGates"] = {"DynamicMIG": True}
    if "registry" in supply:
        repository = "registry.k8s.io/dra-driver-nvidia/dra-driver-nvidia-gpu"
        values["image"] = {"repository": mirrored(repository, supply["registry"])}
    if "pull_secret" in supply:
        values["imagePullSecrets"] = [{"name": supply["pull_secret"]}]
    return values
