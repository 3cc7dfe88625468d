"""Key `fabric` of section `gpu-pools`: the network between the GPUs of several nodes."""

from collections.abc import Iterator

from corral.catalogue.clusters import clusters
from corral.catalogue.instances import CARDS_UNREAD, instances, with_efa
from corral.catalogue.vocabulary import Fabric, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import GpuPool, StackConfig


def check_fabrics(config: StackConfig) -> Iterator[Problem]:
    """Pools whose cluster, instance type, zone or sharing has no such network."""
    for index, pool in enumerate(config.gpu_pools):
        if pool.fabric is None:
            continue
        path = f"gpu-pools[{index}]"
        if pool.fabric not in config.cluster.capabilities.fabrics:
            kinds = ", ".join(kind.value for kind, one in clusters().items() if pool.fabric in one.fabrics)
            yield Problem(f"{path}.fabric", pool.fabric.value, f"belongs to kind {kinds}: leave it out")
            continue
        yield from _instance(pool, pool.fabric, f"{path}.fabric")
        if config.cluster.eks is not None:
            yield from _zone(pool, config.cluster.eks.zones, f"{path}.zone")
        if pool.sharing.kind is not SharingKind.WHOLE:
            kind = pool.sharing.kind.value
            yield Problem(
                f"{path}.sharing", kind, "a fabric joins whole GPUs: use whole, or leave fabric out"
            )


def _instance(pool: GpuPool, fabric: Fabric, path: str) -> Iterator[Problem]:
    entry = instances().get(pool.instance or "")
    if entry is None:
        return  # Said elsewhere.
    fitting = [name for name in with_efa(pool.gpu) if instances()[name].gpus == pool.gpus_per_node]
    has = f"{pool.gpus_per_node} x {pool.gpu}"
    use = f"with {has} these have it: {', '.join(fitting)}" if fitting else f"nothing with {has} has it"
    if entry.efa == 0:
        yield Problem(path, fabric.value, f"{pool.instance} has none: {use}, or leave it out")
    elif pool.instance in CARDS_UNREAD:
        reason = f"how the network cards of {pool.instance} are numbered is unresolved"
        yield Problem(path, fabric.value, f"{reason}: {use}, or leave it out")


def _zone(pool: GpuPool, zones: tuple[str, ...], path: str) -> Iterator[Problem]:
    known = ", ".join(zones)
    if pool.zone is None:
        yield Problem(path, "missing", f"the fabric ends with its zone: name one of {known}")
    elif pool.zone not in zones:
        yield Problem(path, pool.zone, f"no zone of the cluster: use one of {known}")
