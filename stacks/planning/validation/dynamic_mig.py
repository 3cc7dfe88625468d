"""What must hold where the DRA driver cuts MIG slices on demand."""

from collections.abc import Iterator, Sequence

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import Addon, AddonState, FeatureGate, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import GpuPool, StackConfig
from corral.stacks.config.values import DYNAMIC
from corral.stacks.planning.results.addons import AddonStates
from corral.stacks.planning.validation.versions import at_least

ON_BY_DEFAULT = "1.36"
"""First Kubernetes with partitionable devices on by default (MIG guide of the DRA driver, 2026-08-07)."""

MOST_GPUS = 8
"""Counter sets of one ResourceSlice (ResourceSliceMaxCounterSets of k8s.io/api v0.35.4); the DRA driver 0.4.1
writes those of all GPUs of a node into one (cmd/gpu-kubelet-plugin/driver.go)."""


def check_dynamic(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Choices that do not go with pools of `mig: dynamic`."""
    kinds = [pool.sharing.kind for pool in config.gpu_pools]
    dynamic = [index for index, kind in enumerate(kinds) if kind is SharingKind.MIG_DYNAMIC]
    if not dynamic:
        return
    yield from _layouts(config, dynamic)
    for index in dynamic:
        path, number = f"gpu-pools[{index}].sharing.mig", config.gpu_pools[index].gpus_per_node
        if number > MOST_GPUS:
            reason = f"the DRA driver publishes slices on demand of {MOST_GPUS} GPUs of a node at most"
            yield Problem(
                f"gpu-pools[{index}].gpus-per-node", str(number), f"{reason}: use auto in sharing.mig"
            )
        if states[Addon.DRA_DRIVER] is AddonState.OFF:
            reason = "the DRA driver cuts slices on demand, and addons.dra-driver is off"
            yield Problem(path, DYNAMIC, f"{reason}: use managed there, or auto here")
        elif config.cluster.capabilities.states_kubernetes:
            yield from _gate(config, path)
        yield from _mode(config, config.gpu_pools[index], path)


def _layouts(config: StackConfig, dynamic: Sequence[int]) -> Iterator[Problem]:
    """Its gate is one for the cluster: it destroys every slice that it did not cut, on all nodes."""
    first = config.gpu_pools[dynamic[0]].name
    for index, pool in enumerate(config.gpu_pools):
        if pool.sharing.kind is SharingKind.MIG:
            shown = pool.sharing.mig if isinstance(pool.sharing.mig, str) else "a layout"
            reason = (
                f"the DRA driver cuts pool {first} on demand, and destroys all slices that it did not cut"
            )
            yield Problem(
                f"gpu-pools[{index}].sharing.mig",
                str(shown),
                f"{reason}: use dynamic or whole here, or auto there",
            )


def _mode(config: StackConfig, pool: GpuPool, path: str) -> Iterator[Problem]:
    """Slices are cut where MIG mode is on, and some GPUs change it by a reset alone."""
    gpu = gpus().get(pool.gpu)
    if gpu and gpu.mig_mode_by_reset and not config.cluster.capabilities.mig_mode_switchable:
        others = [key for key, one in gpus().items() if one.profiles and not one.mig_mode_by_reset]
        reason = f"{pool.gpu} changes its MIG mode by a reset alone, and it is off on the machines of a plane"
        yield Problem(path, DYNAMIC, f"{reason}: use auto, or a GPU such as {others[0]}")


def _gate(config: StackConfig, path: str) -> Iterator[Problem]:
    """Without partitionable devices the API server drops what the driver publishes of slices."""
    gate, version = FeatureGate.PARTITIONABLE_DEVICES, config.cluster.kubernetes
    if gate in config.cluster.feature_gates or (version is not None and at_least(version, ON_BY_DEFAULT)):
        return
    found = "cluster.kubernetes is not said" if version is None else f"off by default in {version}"
    stated = f", or {{feature-gates: [{gate.value}]}} where API server and scheduler have it on"
    yield Problem(
        path,
        DYNAMIC,
        f"needs the gate {gate.value}, {found}: use auto, or cluster: "
        f'{{kubernetes: "{ON_BY_DEFAULT}"}} or newer'
        + (stated if config.cluster.capabilities.states_gates else ""),
    )
