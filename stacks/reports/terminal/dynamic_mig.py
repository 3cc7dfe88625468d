"""What is said of a pool whose slices are cut on demand: what is promised, and that no cut is planned."""

from collections.abc import Iterator

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import SharingKind
from corral.stacks.planning.results.pools import Guarantee, PoolPlan

ONE_OF_MANY = "one way to cut among many: the driver cuts when a pod comes, where the scheduler puts it"


def on_demand(pool: PoolPlan) -> bool:
    """Whether the GPUs of `pool` are drawn as an example."""
    return pool.sharing is SharingKind.MIG_DYNAMIC


def needs(pool: PoolPlan) -> str:
    """GPUs that the demand needs: `3 of 4 needed in every order, 2 if packed`."""
    packed = sum(1 for gpu in pool.gpus if any(one.model for one in gpu.slices))
    if pool.guarantee is None:
        return f"0 of {len(pool.gpus)} needed"
    return f"{pool.guarantee.needed} of {len(pool.gpus)} needed in every order, {packed} if packed"


def promise(pool: PoolPlan) -> Iterator[str]:
    """Why every replica finds its slice, that the drawing is an example, and what the GPUs need for it."""
    if pool.guarantee:
        yield _reason(pool.guarantee)
        yield ONE_OF_MANY
    if gpus()[pool.gpu].mig_mode_by_reset:
        yield f"{pool.gpu} needs MIG mode on before the DRA driver starts: nvidia-smi -mig 1, and a reset"


def _reason(proof: Guarantee) -> str:
    scale = ", ".join(f"{key} counts {weight}" for key, weight in proof.weights if weight) or "none counts"
    bound = proof.total // proof.least
    tried = "" if bound == proof.full else f"; for {bound} every way was tried"
    return (
        f"there is always room on {_gpus(proof.needed)}: {scale}; a GPU without room for {proof.profile} "
        f"has {proof.least}, and all slices but one have {proof.total}, enough for {_gpus(proof.full)}{tried}"
    )


def _gpus(number: int) -> str:
    return f"{number} GPU" + ("" if number == 1 else "s")
