"""What types cannot say about how a pool is bought."""

from collections.abc import Iterator

from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Purchase
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.stack_config import GpuPool


def check_purchase(pool: GpuPool, path: str) -> Iterator[Problem]:
    """Everything wrong with how `pool`, at `path` of the stack file, says it is bought."""
    if pool.instance is not None:
        yield from _instance(pool, pool.instance, path)
    bought = pool.purchase.value
    if (pool.purchase is Purchase.OWNED) != (pool.owned is not None):
        yield Problem(
            f"{path}.owned",
            f"purchase {bought}" if pool.owned is not None else "missing",
            "purchase: owned and the section owned belong together",
        )
    if pool.purchase is Purchase.OWNED:
        stated = {"instance": pool.instance, "price-per-hour": pool.price_per_hour}
        for key, value in stated.items():
            if value is not None:
                yield Problem(f"{path}.{key}", str(value), "an owned node costs what the section owned says")


def _instance(pool: GpuPool, name: str, path: str) -> Iterator[Problem]:
    instance = instances().get(name)
    if instance is None:
        yield Problem(f"{path}.instance", name, one_of(name, instances()))
        return
    has = f"{name} has {instance.gpus} x {instance.gpu}"
    if instance.gpu != pool.gpu:
        fitting = [
            key
            for key, entry in instances().items()
            if (entry.gpu, entry.cloud) == (pool.gpu, instance.cloud)
        ]
        hint = f"use {', '.join(fitting)}" if fitting else f"no instance of that cloud has {pool.gpu}"
        yield Problem(f"{path}.instance", name, f"{has}, and the pool has {pool.gpu}: {hint}")
    elif instance.gpus != pool.gpus_per_node:
        yield Problem(f"{path}.gpus-per-node", str(pool.gpus_per_node), f"{has}: use {instance.gpus}")
