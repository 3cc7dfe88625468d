"""Section `gpu-pools[].sharing`: shares beside the allocator and the data classes of tenants."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import Addon, Allocator, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import GpuPool, StackConfig
from corral.stacks.planning.device_requests import BY_DEVICE_PLUGIN, allocator
from corral.stacks.planning.results.addons import AddonStates


def check_sharing(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Ways of sharing that do not go with the stack's other choices."""
    for index, pool in enumerate(config.gpu_pools):
        if pool.sharing.kind in BY_DEVICE_PLUGIN:
            path = f"gpu-pools[{index}].sharing"
            yield from _by_device_plugin(allocator(states[Addon.DRA_DRIVER]), pool, path)
            yield from _together(config, pool, path)


def _by_device_plugin(by: Allocator, pool: GpuPool, path: str) -> Iterator[Problem]:
    if by is Allocator.DRA_DRIVER:
        yield Problem(
            f"{path}.{pool.sharing.kind.value}",
            str(pool.sharing.shares),
            "the device plugin shares GPUs like this, and here the DRA driver hands them out, which must not "
            "share nodes with it: use addons: {dra-driver: off}, or mig",
        )


def _together(config: StackConfig, pool: GpuPool, path: str) -> Iterator[Problem]:
    """Models that must not meet on one GPU; `pool` has shares that are handed out as they come."""
    classes = {tenant.name: tenant.data_class for tenant in config.tenants}
    default = next(iter(classes), None)
    meeting = {
        classes.get(model.tenant or default or "")
        for model in (one.section for one in config.served_models)
        if model.pool in (None, pool.name)
    }
    if pool.sharing.kind is SharingKind.TIME_SLICING and len(meeting) > 1:
        names = ", ".join(sorted("no class" if one is None else one.value for one in meeting))
        yield Problem(
            f"{path}.{pool.sharing.kind.value}",
            str(pool.sharing.shares),
            f"tenants of several data classes ({names}) would share GPUs without isolation: keep other "
            "classes out by models[].pool, or use mig",
        )
