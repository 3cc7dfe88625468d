"""Versions of Kubernetes and of the GPU driver, where the stack file says them, against what needs them."""

from collections.abc import Iterator

from packaging.version import Version

from corral.catalogue.charts import charts_of
from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import Addon, AddonState, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import GpuPool, StackConfig
from corral.stacks.config.values import DYNAMIC
from corral.stacks.planning.mig.layouts import named
from corral.stacks.planning.results.addons import AddonStates


def at_least(version: str, floor: str) -> bool:
    """Whether `version` is `floor` or newer; a number that it leaves out counts as the oldest."""
    return Version(version) >= Version(floor)


def check_versions(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Versions below what the DRA driver, MIG or a profile needs; what is not said is not checked."""
    if states[Addon.DRA_DRIVER] is not AddonState.OFF:
        yield from _under_dra(config)
    for index, pool in enumerate(config.gpu_pools):
        if pool.driver is not None and pool.sharing.kind in (SharingKind.MIG, SharingKind.MIG_DYNAMIC):
            yield from _under_mig(pool, pool.driver, f"gpu-pools[{index}].driver")


def _under_dra(config: StackConfig) -> Iterator[Problem]:
    instead = "use a newer one, or addons: {dra-driver: off}"
    for entry in charts_of(Addon.DRA_DRIVER):
        version, floor = config.cluster.kubernetes, entry.kubernetes
        if version is not None and floor is not None and not at_least(version, floor):
            older = f" ({version} may be an older patch)" if floor.startswith(f"{version}.") else ""
            reason = f"the DRA driver {entry.version} needs Kubernetes {floor}{older}"
            yield Problem("cluster.kubernetes", version, f"{reason}: {instead}")
        for index, pool in enumerate(config.gpu_pools):
            if pool.driver and entry.gpu_driver and not at_least(pool.driver, str(entry.gpu_driver)):
                reason = f"the DRA driver {entry.version} needs GPU driver {entry.gpu_driver}"
                yield Problem(f"gpu-pools[{index}].driver", pool.driver, f"{reason}: {instead}")


def _under_mig(pool: GpuPool, version: str, path: str) -> Iterator[Problem]:
    """MIG itself, and the profiles that may be cut."""
    gpu = gpus().get(pool.gpu)
    if gpu is None or not gpu.profiles:
        return
    floors = {
        "MIG": gpu.driver,
        **{key: one.driver for key, one in gpu.profiles.items() if _may_be(pool, key)},
    }
    for what, floor in floors.items():
        if floor is not None and not at_least(version, str(floor)):
            yield Problem(
                path, version, f"{what} on {pool.gpu} needs GPU driver {floor}: use a newer one, or whole"
            )
            return


def _may_be(pool: GpuPool, profile: str) -> bool:
    """Whether `pool` may be cut into slices of `profile`."""
    mig = pool.sharing.mig
    if isinstance(mig, str):
        return mig in ("auto", DYNAMIC) or profile in dict(named(pool.gpu, mig) or ())
    return any(profile in layout for layout in mig or ())
