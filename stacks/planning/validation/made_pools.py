"""Section `gpu-pools` where the stack makes the nodes in a cloud."""

from collections.abc import Iterator

from corral.catalogue.clusters import clusters
from corral.catalogue.formats import POOL_NAME
from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Cloud, Purchase, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import GpuPool, StackConfig

MADE = (Purchase.ON_DEMAND, Purchase.SPOT)
"""Ways of paying for which the stack file says all that is needed to make a node."""
SHARED = (SharingKind.TIME_SLICING, SharingKind.MPS)


def check_made_pools(config: StackConfig) -> Iterator[Problem]:
    """Pools of a cluster in a cloud that cannot be made as the stack file has them."""
    yield from _without_zones(config)
    cloud, platforms = config.cluster.capabilities.cloud, config.cluster.capabilities.platforms
    if cloud is None:
        return
    platform = config.cluster.platform
    if platform is not None and platform not in platforms:
        words = ", ".join(one.value for one in platforms)
        kind = config.cluster.kind.value
        yield Problem(
            "cluster.platform", platform.value, f"nodes that kind {kind} makes are {words}: use one"
        )
    for index, pool in enumerate(config.gpu_pools):
        yield from _pool(pool, cloud, f"gpu-pools[{index}]")


def _pool(pool: GpuPool, cloud: Cloud, path: str) -> Iterator[Problem]:
    yield from _instance(pool, cloud, f"{path}.instance")
    if not POOL_NAME.matches(pool.name):
        reason = f"names of nodes in a cloud begin with it: use {POOL_NAME.words}"
        yield Problem(f"{path}.name", pool.name, reason)
    if pool.nodes.names:
        yield Problem(f"{path}.nodes", "names", "the stack makes these nodes: use {min: N, max: N}")
    elif pool.nodes.min != pool.nodes.max:
        yield Problem(
            f"{path}.nodes",
            f"min {pool.nodes.min}, max {pool.nodes.max}",
            "nothing here adds nodes when models wait, and models are planned on the most: use min = max",
        )
    if pool.purchase not in MADE:
        yield Problem(
            f"{path}.purchase",
            pool.purchase.value,
            f"no key says which machines these are: use {' or '.join(one.value for one in MADE)}",
        )
    if pool.sharing.kind in SHARED:
        yield Problem(
            f"{path}.sharing",
            pool.sharing.kind.value,
            "nodes that are made do not carry the label for it: use whole or mig",
        )


def _without_zones(config: StackConfig) -> Iterator[Problem]:
    if config.cluster.capabilities.zonal_pools:
        return
    kinds = ", ".join(kind.value for kind, one in clusters().items() if one.zonal_pools)
    for index, pool in enumerate(config.gpu_pools):
        if pool.zone is not None and pool.fabric is None:
            yield Problem(f"gpu-pools[{index}].zone", pool.zone, f"belongs to kind {kinds}")


def _instance(pool: GpuPool, cloud: Cloud, path: str) -> Iterator[Problem]:
    offered = {name: one for name, one in instances().items() if one.cloud is cloud}
    fitting = [name for name, one in offered.items() if (one.gpu, one.gpus) == (pool.gpu, pool.gpus_per_node)]
    has = f"{pool.gpus_per_node} x {pool.gpu}"
    use = f"with {has} there are {', '.join(fitting)}" if fitting else f"no instance type has {has}"
    if pool.instance is None:
        yield Problem(path, "missing", f"the stack makes these nodes: {use}")
    elif pool.instance in instances() and pool.instance not in offered:
        yield Problem(path, pool.instance, f"of another cloud than the cluster: {use}")
