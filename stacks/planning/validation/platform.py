"""What the nodes' platform rules out: ways of sharing, who hands GPUs out, drivers compiled beforehand."""

from collections.abc import Iterator, Sequence

from corral.catalogue.platforms import PlatformEntry, platform, precompiled_kernels
from corral.catalogue.vocabulary import Addon, AddonState, DriverSource, Platform, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import GpuPool, StackConfig
from corral.stacks.planning.admission import classified_places, is_classified
from corral.stacks.planning.defaults import node_platform
from corral.stacks.planning.results.addons import AddonStates


def check_platform(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Everything that the platform of the nodes rules out."""
    name = node_platform(config.cluster)
    row = platform(name)
    yield from _embedded(config)
    yield from _classified(config, states)
    yield from _own_devices(config.gpu_pools, states, name, row)
    yield from _precompiled(config, states[Addon.GPU_OPERATOR], name, row)
    yield from _pools_without_operator(config.gpu_pools, states)


def _embedded(config: StackConfig) -> Iterator[Problem]:
    cluster = config.cluster
    stated = {
        "platform": cluster.platform and cluster.platform.value,
        "precompiled-driver": cluster.precompiled_driver,
    }
    for key, value in stated.items():
        if value is not None and cluster.capabilities.simulated:
            reason = f"the {cluster.kind.value} cluster simulates its nodes: leave it out"
            yield Problem(f"cluster.{key}", str(value), reason)


def _classified(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Classified data on nodes that are in no region."""
    if not config.cluster.capabilities.simulated:
        return
    try:
        kept = classified_places(config.sovereignty, states, config.tenants)
    except ValueError:
        return  # The region is refused as such.
    name = config.sovereignty.profile.value
    for index, tenant in enumerate(config.tenants if kept else ()):
        if tenant.data_class is not None and is_classified(tenant):
            yield Problem(
                f"tenants[{index}].data-class",
                tenant.data_class.value,
                f"profile {name} keeps its pods to nodes of its regions, and simulated nodes are in none: "
                "use kind existing, or public",
            )


def _own_devices(
    pools: Sequence[GpuPool], states: AddonStates, name: Platform, row: PlatformEntry
) -> Iterator[Problem]:
    if row.own_devices and states[Addon.DRA_DRIVER] is not AddonState.OFF:
        yield Problem(
            "cluster.platform",
            name.value,
            "its image brings a device plugin, and beside the DRA driver that gives GPUs away twice: "
            "use addons: {dra-driver: off}, or another platform",
        )
    ours = {
        SharingKind.MIG: row.mig_manager is DriverSource.OPERATOR,
        SharingKind.TIME_SLICING: not row.own_devices,
        SharingKind.MPS: not row.own_devices,
    }
    for index, pool in enumerate(pools):
        kind = pool.sharing.kind
        if not ours.get(kind, True):
            yield Problem(
                f"gpu-pools[{index}].sharing",
                kind.value,
                f"the image of {name.value} divides GPUs by its own settings, which this stack does not "
                "write: use whole, or another platform",
            )


def _precompiled(
    config: StackConfig, operator: AddonState, name: Platform, row: PlatformEntry
) -> Iterator[Problem]:
    branch = config.cluster.precompiled_driver
    if branch is None:
        return
    path = "cluster.precompiled-driver"
    if row.driver is DriverSource.NODE_IMAGE:
        yield Problem(path, str(branch), f"{name.value} brings its driver itself: leave it out")
    elif row.kernel not in precompiled_kernels() and config.sovereignty.registry is None:
        yield Problem(
            path,
            str(branch),
            f"NVIDIA compiles no driver for kernel flavour {row.kernel} of {name.value}, only for "
            f"{', '.join(precompiled_kernels())}: build it into a registry of yours and name that in "
            "sovereignty.registry, or leave it out",
        )
    if operator is not AddonState.MANAGED:
        yield Problem(
            path, str(branch), f"gpu-operator is {operator.value}, so its owner chooses: leave it out"
        )


def _pools_without_operator(pools: Sequence[GpuPool], states: AddonStates) -> Iterator[Problem]:
    operator, driver = states[Addon.GPU_OPERATOR], states[Addon.DRA_DRIVER]
    whole = pools and not any(pool.sharing.mig for pool in pools)
    if whole and operator is AddonState.OFF and driver is AddonState.MANAGED:
        yield Problem(
            "addons.gpu-operator",
            "off",
            "it labels GPU nodes and brings the driver where they have none, and a managed DRA driver "
            "needs both: use managed or existing, or dra-driver: existing where one is there",
        )
