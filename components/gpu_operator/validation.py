"""What a platform, and a ClusterPolicy of somebody else, let this component do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, cast

import pulumi

from corral.catalogue.platforms import PlatformEntry, platform, precompiled_kernels
from corral.catalogue.vocabulary import AddonState, DriverSource, Platform
from corral.components._kit import child
from corral.components.gpu_operator.values import DEVICE_PLUGIN_CONFIG_MAP, MIG_CONFIG_MAP

POLICY = "cluster-policy"
"""Name under which the operator's chart makes its ClusterPolicy. A GPUCluster excludes one."""


@dataclass(frozen=True)
class Requirements:
    """What a stack asks of the GPU software on its nodes."""

    platform: Platform
    dra_driver: AddonState
    mig_layouts: bool
    """Nodes have MIG layouts of ours."""
    shared: bool
    """Nodes have ways of sharing of ours."""
    precompiled: int | None = None
    """Branch of drivers compiled beforehand."""
    mirrored: bool = False
    """Images come from a registry of the customer's."""


def problems(requirements: Requirements, owner: str) -> Iterator[str]:
    """What cannot be on the platform, one line each: where, what, and what is allowed."""
    row, name = platform(requirements.platform), requirements.platform.value
    if requirements.shared and requirements.dra_driver is not AddonState.OFF:
        yield f"{owner}: 'shared_pools' need the device plugin; use dra_driver 'off'"
    if row.own_devices and requirements.dra_driver is not AddonState.OFF:
        yield (
            f"{owner}.dra_driver: {requirements.dra_driver.value!r}, but the image of {name} brings a device "
            "plugin, and beside a DRA driver it gives GPUs away twice; use 'off', or another platform"
        )
    if row.own_devices and requirements.shared:
        yield f"{owner}.shared_pools: the image of {name} shares GPUs by its own settings; leave it out"
    if row.mig_manager is DriverSource.NODE_IMAGE and requirements.mig_layouts:
        yield f"{owner}.mig_configurations: the image of {name} cuts GPUs by its own settings; leave it out"
    if requirements.precompiled is not None:
        yield from _precompiled_problems(
            requirements, row, f"{owner}.precompiled_driver: {requirements.precompiled}"
        )


def node_prerequisites(name: Platform) -> Iterator[str]:
    """What the nodes of a platform must have from the start, and nothing of this component does."""
    row = platform(name)
    named = [f"label {key}={value}" for key, value in row.node_labels.items()]
    needed = [*named, *([] if row.by_hand is None else [row.by_hand])]
    if needed:
        yield f"nodes of {name.value} need {'; '.join(needed)}"


def _precompiled_problems(requirements: Requirements, row: PlatformEntry, where: str) -> Iterator[str]:
    name = requirements.platform.value
    if row.kernel is None:
        yield f"{where}, but {name} brings its driver itself; leave it out"
    elif row.kernel not in precompiled_kernels() and not requirements.mirrored:
        known = ", ".join(precompiled_kernels())
        yield (
            f"{where}, but NVIDIA compiles no driver for kernel flavour {row.kernel} of {name}, only for "
            f"{known}; build it into a registry of yours and name that in supply, or leave it out"
        )


class _ClusterPolicy(pulumi.CustomResource):
    """A ClusterPolicy that is there; the SDK's own CustomResource does not give what it reads."""

    spec: pulumi.Output[Any]

    def __init__(self, logical: str, opts: pulumi.ResourceOptions):
        super().__init__("kubernetes:nvidia.com/v1:ClusterPolicy", logical, {"spec": None}, opts)


def existing_policy(
    parent: pulumi.Resource, logical: str, requirements: Requirements, before: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Read the ClusterPolicy of an operator that somebody else installed; fail the run where it contradicts.

    There is none where the operator runs a GPUCluster, which brings a DRA driver of its own: the read fails.

    Raises:
        pulumi.RunError: when it has been read, one line per contradiction.
    """
    sdk = version("pulumi_kubernetes")
    policy = _ClusterPolicy(logical, child(parent, id=POLICY, version=sdk, depends_on=list(before)))

    def require(spec: Mapping[str, Any] | None) -> None:
        lines = list(contradictions(spec or {}, requirements))
        if lines:
            raise pulumi.RunError("\n".join(lines))

    policy.spec.apply(require)
    return policy


def contradictions(spec: Mapping[str, Any], requirements: Requirements) -> Iterator[str]:
    """Where `spec` of a ClusterPolicy does not go with the requirements; its defaults are the operator's."""
    plugin = _enabled(spec, "devicePlugin")
    if plugin and requirements.dra_driver is not AddonState.OFF:
        yield (
            f"{POLICY}: devicePlugin.enabled is true, and beside a DRA driver it gives GPUs away twice; "
            "turn it off there, or use dra_driver 'off'"
        )
    if (
        not plugin
        and requirements.dra_driver is AddonState.OFF
        and not platform(requirements.platform).own_devices
    ):
        yield f"{POLICY}: devicePlugin.enabled is false, and no DRA driver hands the GPUs out; turn one on"
    read = (
        (requirements.mig_layouts, "migManager", MIG_CONFIG_MAP),
        (requirements.shared, "devicePlugin", DEVICE_PLUGIN_CONFIG_MAP),
    )
    for needed, operand, config_map in read:
        if needed and not (_enabled(spec, operand) and _config(spec, operand) == config_map):
            yield f"{POLICY}: {operand}.config.name is {_config(spec, operand)!r}; set it to {config_map!r}"


def _enabled(spec: Mapping[str, Any], operand: str) -> bool:
    return _part(spec, operand).get("enabled") is not False


def _config(spec: Mapping[str, Any], operand: str) -> str:
    return str(_part(_part(spec, operand), "config").get("name", ""))


def _part(section: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", section.get(key) or {})
