"""Values of the GPU operator's chart."""

from collections.abc import Mapping
from typing import Any

from corral.catalogue.images import ImageEntry, image, mirrored
from corral.catalogue.platforms import PlatformEntry
from corral.catalogue.vocabulary import DriverSource
from corral.components.gpu_operator.device_plugin import STRATEGY, WHOLE
from corral.components.supply import Supply, by_digest, pull_secrets

MIG_CONFIG_MAP = "corral-mig-parted"
DEVICE_PLUGIN_CONFIG_MAP = "corral-device-plugin"
SHARING = {"config": {"name": DEVICE_PLUGIN_CONFIG_MAP, "default": WHOLE}}

OPERANDS = {
    "operator": "gpu-operator",
    "validator": "gpu-operator",
    "driver": "gpu-driver",
    "toolkit": "container-toolkit",
    "devicePlugin": "gpu-feature-discovery",
    "gfd": "gpu-feature-discovery",
    "migManager": "mig-manager",
    "dcgmExporter": "dcgm-exporter",
    "ccManager": "cc-manager",
}
"""Image of the catalogue that each operand runs; the chart has no global registry, and prints `version`
behind the name."""

_CLOUD_NATIVE = "nvcr.io/nvidia/cloud-native"
SWITCHED_OFF: Mapping[str, str] = {
    "dcgm": _CLOUD_NATIVE,
    "gdrcopy": _CLOUD_NATIVE,
    "gds": _CLOUD_NATIVE,
    "kataSandboxDevicePlugin": _CLOUD_NATIVE,
    "nodeStatusExporter": "nvcr.io/nvidia",
    "sandboxDevicePlugin": "nvcr.io/nvidia",
    "vfioManager": _CLOUD_NATIVE,
    "vfioManager.driverManager": _CLOUD_NATIVE,
    "vgpuDeviceManager": _CLOUD_NATIVE,
    "vgpuManager.driverManager": _CLOUD_NATIVE,
}
"""Upstream folder of each operand that no platform here runs, by its dotted path in the values of v26.7.0: a
mirror takes its place, so that nothing names a host outside the site."""


def operator_values(
    platform: PlatformEntry,
    *,
    device_plugin: bool,
    monitors: bool,
    supply: Supply,
    precompiled: int | None = None,
    dynamic_mig: bool = False,
) -> dict[str, Any]:
    """Values of chart `gpu-operator`: who owns driver and devices, our MIG layouts, metrics, image sources.

    `device_plugin` is off where a DRA driver hands out the GPUs: both on one node give a GPU away twice. So
    it is where the node image has one. `precompiled` is the branch of drivers compiled beforehand. The MIG
    manager is off with `dynamic_mig`: the DRA driver cuts, and nobody else may meanwhile.
    """
    plugin = device_plugin and not platform.own_devices
    values: dict[str, Any] = {
        "driver": {"enabled": _ours(platform.driver), **_precompiled(precompiled)},
        "toolkit": {"enabled": _ours(platform.toolkit)},
        "devicePlugin": {"enabled": plugin, **(SHARING if plugin else {})},
        "mig": {"strategy": STRATEGY},
        "migManager": {"enabled": False} if dynamic_mig else _mig_manager(platform),
        "dcgmExporter": {"enabled": True, "serviceMonitor": {"enabled": monitors, "interval": "30s"}},
    }
    for part in (_on_platform(platform), _sources(supply), _by_digest()):
        for operand, more in part.items():
            values[operand] = {**values.get(operand, {}), **more}
    return values


def _mig_manager(platform: PlatformEntry) -> dict[str, Any]:
    return {"enabled": _ours(platform.mig_manager), "config": {"name": MIG_CONFIG_MAP}}


def _ours(source: DriverSource) -> bool:
    return source is DriverSource.OPERATOR


def _precompiled(branch: int | None) -> dict[str, Any]:
    """The operator completes the tag by each node's kernel and system: `580-6.8.0-60-generic-ubuntu24.04`."""
    return {} if branch is None else {"usePrecompiled": True, "version": str(branch)}


def _on_platform(platform: PlatformEntry) -> dict[str, dict[str, Any]]:
    """What only some platforms need: read-only systems, a toolkit's environment, reboots for MIG."""
    values: dict[str, dict[str, Any]] = {}
    if platform.install_dir is not None:
        values["hostPaths"] = {"driverInstallDir": platform.driver_root}
        values["toolkit"] = {"installDir": platform.install_dir}
    if platform.toolkit_env:
        values.setdefault("toolkit", {})["env"] = _environment(platform.toolkit_env)
    if platform.reboot:
        values["migManager"] = {"env": _environment({"WITH_REBOOT": "true"})}
    return values


def _environment(variables: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _by_digest() -> dict[str, dict[str, Any]]:
    """What makes each operand run by digest; nothing before `corral lock`."""
    versions = {operand: by_digest(image(name), "version") for operand, name in OPERANDS.items()}
    return {operand: version for operand, version in versions.items() if version}


def _sources(supply: Supply) -> dict[str, dict[str, Any]]:
    """What each operand needs to pull its image from the mirror; nothing without one."""
    sources: dict[str, dict[str, Any]] = {}
    driver_manager, feature_discovery = image("gpu-driver-manager"), image("node-feature-discovery")
    manager = by_digest(driver_manager, "version")
    discovery = by_digest(feature_discovery)
    if "registry" in supply:
        registry = supply["registry"]
        sources = {
            operand: {"repository": _folder(image(name), registry)} for operand, name in OPERANDS.items()
        }
        for path, folder in SWITCHED_OFF.items():
            operand, _, inner = path.partition(".")
            place = sources.setdefault(operand, {})
            (place.setdefault(inner, {}) if inner else place)["repository"] = mirrored(folder, registry)
        manager["repository"] = _folder(driver_manager, registry)
        discovery["repository"] = mirrored(feature_discovery.repository, registry)
    if manager:
        sources.setdefault("driver", {})["manager"] = manager
    if discovery:
        sources["node-feature-discovery"] = {"image": discovery}
    if "pull_secret" in supply:
        for name in OPERANDS:
            sources.setdefault(name, {})["imagePullSecrets"] = [supply["pull_secret"]]
        sources.setdefault("node-feature-discovery", {})["imagePullSecrets"] = pull_secrets(supply)
    return sources


def _folder(entry: ImageEntry, registry: str) -> str:
    """What the chart calls an operand's repository: that of its image, without the last part of the name."""
    return mirrored(entry.repository, registry).rpartition("/")[0]
