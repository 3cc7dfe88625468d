"""Values of the DRA driver's chart."""

from typing import Any

from corral.catalogue.images import image, mirrored
from corral.catalogue.platforms import PlatformEntry
from corral.components.supply import Supply, by_digest, pull_secrets

RESOURCE_API = "resource.k8s.io/v1"
CLIENT_LABEL = "nvidia.com/gpu.deploy.client"
"""Node label that GPU operator 26.7 sets to `true`; MIG manager restarts the DaemonSets that select it."""


def dra_values(
    platform: PlatformEntry, *, supply: Supply, dynamic_mig: bool = False, mig_layouts: bool = False
) -> dict[str, Any]:
    """Values of chart `dra-driver-nvidia-gpu`: GPUs and MIG slices through DRA, no compute domains.

    `gpuResourcesEnabledOverride` says that no device plugin shares the nodes; the chart refuses without it.
    `dynamic_mig` is an alpha gate of the driver, which excludes its health checks, MPS and passthrough.
    `mig_layouts` says that a MIG manager cuts slices: the driver lists devices once, when it starts, and MIG
    manager restarts DaemonSets whose nodeSelector has `CLIENT_LABEL` (NVIDIA/mig-parted v0.15.0,
    pkg/mig/reconfigure/reconfigure.go).
    """
    values: dict[str, Any] = {
        "gpuResourcesEnabledOverride": True,
        "nvidiaDriverRoot": platform.driver_root,
        "resourceApiVersion": RESOURCE_API,
        "resources": {"computeDomains": {"enabled": False}},
    }
    if mig_layouts:
        values["kubeletPlugin"] = {"nodeSelector": {CLIENT_LABEL: "true"}}
    if dynamic_mig:
        values["featureGates"] = {"DynamicMIG": True}
    driver = image("dra-driver")
    if own := by_digest(driver):
        values["image"] = own
    if "registry" in supply:
        values.setdefault("image", {})["repository"] = mirrored(driver.repository, supply["registry"])
    if "pull_secret" in supply:
        values["imagePullSecrets"] = pull_secrets(supply)
    return values
