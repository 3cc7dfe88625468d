"""Section `gpu-pools`: GPUs of the catalogue, nodes, MIG layouts."""

from collections.abc import Iterator

from corral.catalogue.gpus import gpus, served
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.stack_config import GpuPool, StackConfig
from corral.stacks.config.values import DYNAMIC
from corral.stacks.planning.mig.layouts import config_names, fits_geometry, named
from corral.stacks.planning.validation.purchase import check_purchase

NOT_SERVED = (
    "the GPU operator and the DRA driver serve NVIDIA GPUs alone: `corral fit MODEL --gpu {}` sizes and "
    "prices it, and AMD's own operator (instinct.docs.amd.com/projects/gpu-operator) is what serves it; use "
    "an NVIDIA GPU here"
)


def check_gpu_pools(config: StackConfig) -> Iterator[Problem]:
    """Pools that the catalogue, their cluster or their GPU rules out."""
    for index, pool in enumerate(config.gpu_pools):
        path = f"gpu-pools[{index}]"
        if pool.gpu not in gpus():
            yield Problem(f"{path}.gpu", pool.gpu, one_of(pool.gpu, served()))
            continue
        if pool.gpu not in served():
            yield Problem(f"{path}.gpu", pool.gpu, NOT_SERVED.format(pool.gpu))
            continue
        if not gpus()[pool.gpu].resolved:
            known = [key for key in served() if gpus()[key].resolved]
            reason = "the name that its driver reports is unresolved, so no pod would find it"
            yield Problem(f"{path}.gpu", pool.gpu, f"{reason}: {one_of('', known)}")
        yield from _nodes(config, pool, path)
        yield from check_purchase(pool, path)
        if pool.sharing.mig is not None:
            yield from _mig(pool, f"{path}.sharing")


def _nodes(config: StackConfig, pool: GpuPool, path: str) -> Iterator[Problem]:
    nodes = pool.nodes
    ranged = nodes.min is not None or nodes.max is not None
    if bool(nodes.names) == ranged:
        yield Problem(
            f"{path}.nodes",
            "no names and no range" if not ranged else "both",
            "use {names: […]} or {min, max}",
        )
    elif ranged and (nodes.min is None or nodes.max is None or nodes.min > nodes.max):
        yield Problem(f"{path}.nodes", f"min {nodes.min}, max {nodes.max}", "both are needed, and min <= max")
    elif ranged and not config.cluster.capabilities.nodes_on_demand and config.cluster.stack is None:
        kind = config.cluster.kind.value
        yield Problem(
            f"{path}.nodes", "a range", f"cluster kind {kind} has the nodes it has: use {{names: […]}}"
        )
    if not pool.dedicated and not nodes.names:
        reason = "nodes that are made for a pool bear its taint: leave it out, or use nodes: {names: […]}"
        yield Problem(f"{path}.dedicated", "false", reason)


def _mig(pool: GpuPool, path: str) -> Iterator[Problem]:
    gpu = gpus()[pool.gpu]
    mig = pool.sharing.mig
    if not gpu.profiles:
        able = ", ".join(key for key, entry in gpus().items() if entry.profiles)
        yield Problem(
            path,
            f"mig on {pool.gpu}",
            f"{pool.gpu} has no MIG: use whole, time-slicing or mps, or one of {able}",
        )
    elif isinstance(mig, str):
        if mig not in ("auto", DYNAMIC) and named(pool.gpu, mig) is None:
            yield Problem(f"{path}.mig", mig, one_of(mig, ("auto", DYNAMIC, *config_names(pool.gpu))))
    elif mig is not None:
        if len(mig) not in (1, pool.gpus_per_node):
            yield Problem(
                f"{path}.mig", f"{len(mig)} layouts", f"give 1, or {pool.gpus_per_node}: one per GPU"
            )
        for place, layout in enumerate(mig):
            unknown = [key for key in layout if key not in gpu.profiles]
            for key in unknown:
                yield Problem(f"{path}.mig[{place}].{key}", key, one_of(key, gpu.profiles))
            if not unknown and not fits_geometry(pool.gpu, layout):
                slices = ", ".join(f"{count} x {key}" for key, count in layout.items())
                yield Problem(
                    f"{path}.mig[{place}]", slices, f"these slices do not fit together on one {pool.gpu}"
                )
