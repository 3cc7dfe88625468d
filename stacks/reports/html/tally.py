"""Where the memory of GPUs goes, in bytes."""

from collections.abc import Iterable
from dataclasses import dataclass

from corral.catalogue.gpus import gpus
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import GpuPlan, PoolPlan


@dataclass(frozen=True)
class Tally:
    """Memory of some GPUs; the parts add up to all that processes could get with MIG off."""

    used: int = 0
    """Planned for models."""
    spare: int = 0
    """Left over on devices that have a model: nobody else gets it."""
    free: int = 0
    """On devices without a model."""
    stranded: int = 0
    """In no slice, so that nothing can ask for it."""

    @property
    def total(self) -> int:
        return self.used + self.spare + self.free + self.stranded


def of_gpu(pool: PoolPlan, gpu: GpuPlan) -> Tally:
    """The memory of one GPU of `pool`."""
    taken = [one for one in gpu.slices if one.model is not None]
    used, held = sum(one.used for one in taken), sum(one.usable for one in taken)
    cut = sum(one.usable for one in gpu.slices)
    return Tally(used, held - used, cut - held, max(0, gpus()[pool.gpu].usable - cut))


def of_pool(pool: PoolPlan) -> Tally:
    """The memory of all GPUs of `pool`."""
    return _sum(of_gpu(pool, gpu) for gpu in pool.gpus)


def of_plan(plan: Plan) -> Tally:
    """The memory of all GPUs of `plan`."""
    return _sum(of_pool(pool) for pool in plan.pools)


def _sum(tallies: Iterable[Tally]) -> Tally:
    listed = list(tallies)
    return Tally(
        used=sum(one.used for one in listed),
        spare=sum(one.spare for one in listed),
        free=sum(one.free for one in listed),
        stranded=sum(one.stranded for one in listed),
    )
