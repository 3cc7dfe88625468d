"""Values of the DRA driver's chart."""

from typing import Any

from corral.catalogue.images import mirrored
from corral.catalogue.platforms import PlatformEntry
from corral.components.supply import Supply

RESOURCE_API = "resource.k8s.io/v1"


def dra_values(platform: PlatformEntry, *, supply: Supply, dynamic_mig: bool = False) -> dict[str, Any]:
    """Values of chart `dra-driver-nvidia-gpu`: GPUs and MIG slices through DRA, no compute domains.

    `gpuResourcesEnabledOverride` says that no device plugin shares the nodes; the chart refuses without it.
    `dynamic_mig` is an alpha gate of the driver, which excludes its health checks, MPS and passthrough.
    """
    values: dict[str, Any] = {
        "gpuResourcesEnabledOverride": True,
        "nvidiaDriverRoot": platform.driver_root,
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
