"""Section `tenants`: namespaces, GPUs of pools, profiles, and keys that need `fair-sharing`."""

from collections.abc import Iterator

from corral.catalogue.addons import reserved_namespaces
from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import Addon, AddonState, Priority, SharingKind
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.stack_config import FairSharing, GpuPool, StackConfig, TenantSection
from corral.stacks.config.values import WHOLE
from corral.stacks.planning.results.addons import AddonStates

KEPT_BY = "nothing would keep a tenant to it: use addons: {tenancy: managed}, or the section fair-sharing"


def check_tenants(config: StackConfig) -> Iterator[Problem]:
    """Namespaces of the platform that a tenant claims."""
    for index, tenant in enumerate(config.tenants):
        space = tenant.namespace or tenant.name
        if space in reserved_namespaces() or space.startswith("kube-"):
            yield Problem(
                f"tenants[{index}].namespace", space, "the platform's own namespace: choose another"
            )


def check_fair(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Everything wrong with GPUs and weights of tenants."""
    pools = {pool.name: pool for pool in config.gpu_pools}
    for index, tenant in enumerate(config.tenants):
        path = f"tenants[{index}]"
        yield from _weight(config, states, tenant, path)
        if tenant.gpus is not None and not _kept(states):
            words = ", ".join(tenant.gpus) or "{}"
            yield Problem(f"{path}.gpus", words, KEPT_BY)
        for name, requested in (tenant.gpus or {}).items():
            if name in pools:
                yield from _requested(pools[name], requested, f"{path}.gpus.{name}")
            else:
                yield Problem(f"{path}.gpus.{name}", name, one_of(name, pools))
    if config.addons.get(Addon.KUEUE) is AddonState.EXISTING and config.fair_sharing is None:
        yield Problem(f"addons.{Addon.KUEUE.value}", "existing", "the section fair-sharing is missing")
    yield from _by_time(config, states)
    yield from _without_classes(config, states)


def _without_classes(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Priorities of models that nothing would have."""
    if _kept(states):
        return
    for served in config.served_models:
        if served.section.priority is not Priority.NORMAL:
            reason = "there is no class of it: use addons: {tenancy: managed}, or the section fair-sharing"
            yield Problem(f"{served.path}.priority", served.section.priority.value, reason)


def _kept(states: AddonStates) -> bool:
    """Whether anything keeps a tenant to its GPUs."""
    queued = states[Addon.KUEUE] is not AddonState.OFF
    return queued or states[Addon.TENANCY] is AddonState.MANAGED


def _weight(config: StackConfig, states: AddonStates, tenant: TenantSection, path: str) -> Iterator[Problem]:
    if tenant.weight is None or _borrowing(config.fair_sharing, states):
        return
    lacking = "the section fair-sharing" if config.fair_sharing is None else "borrowing: true in fair-sharing"
    if config.addons.get(Addon.KUEUE) is AddonState.OFF:
        lacking = f"addons.{Addon.KUEUE.value}"
    yield Problem(f"{path}.weight", str(tenant.weight), f"it divides what is borrowed, which needs {lacking}")


def _borrowing(sharing: FairSharing | None, states: AddonStates) -> bool:
    return sharing is not None and sharing.borrowing and states[Addon.KUEUE] is not AddonState.OFF


def _requested(pool: GpuPool, requested: int | dict[str, int], path: str) -> Iterator[Problem]:
    cut = pool.sharing.kind in (SharingKind.MIG, SharingKind.MIG_DYNAMIC)
    if isinstance(requested, int):
        if cut:
            yield Problem(path, str(requested), f"pool {pool.name} is cut into slices: use {{PROFILE: N}}")
        return
    if not cut:
        yield Problem(path, ", ".join(requested) or "{}", f"pool {pool.name} has no slices: use a number")
        return
    whole = () if pool.sharing.kind is SharingKind.MIG_DYNAMIC else (WHOLE,)
    profiles = (*gpus()[pool.gpu].profiles, *whole) if pool.gpu in gpus() else ()
    for profile in requested:
        if profiles and profile not in profiles:
            yield Problem(f"{path}.{profile}", profile, one_of(profile, profiles))


def _by_time(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Tenants that may borrow from a pool whose GPUs nothing isolates."""
    classes = {tenant.data_class for tenant in config.tenants}
    if len(classes) < 2 or not _borrowing(config.fair_sharing, states):
        return
    several = ", ".join(sorted("no class" if one is None else one.value for one in classes))
    for index, pool in enumerate(config.gpu_pools):
        if pool.sharing.kind is SharingKind.TIME_SLICING:
            yield Problem(
                f"gpu-pools[{index}].sharing.{pool.sharing.kind.value}",
                str(pool.sharing.shares),
                f"whoever borrows may come here, and tenants of several data classes ({several}) would share "
                "GPUs without isolation: use borrowing: false in fair-sharing, or mig",
            )
