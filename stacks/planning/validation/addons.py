"""Section `addons`: requirements of addons, models and pools."""

from collections.abc import Iterator

from corral.catalogue.addons import descriptors
from corral.catalogue.clusters import capabilities
from corral.catalogue.vocabulary import Addon, AddonState, Allocator, Fabric, StorageKind, Weights
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.device_requests import allocator
from corral.stacks.planning.results.addons import AddonStates


def check_addons(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Addons that are off or existing where something needs them otherwise."""
    for addon, described in descriptors().items():
        lacking = described.section is not None and described.section not in config.sections
        if lacking and config.addons.get(addon) is AddonState.MANAGED:
            yield Problem(f"addons.{addon.value}", "managed", f"the section {described.section} is missing")
        for other in described.requires:
            if states[addon] is not AddonState.OFF and states[other] is AddonState.OFF:
                yield Problem(
                    f"addons.{other.value}", "off", f"{addon.value} needs it: use managed or existing"
                )
    rules: tuple[tuple[Addon, bool, str], ...] = (
        (Addon.KSERVE, bool(config.models), "models need it"),
        (Addon.GPU_OPERATOR, any(pool.sharing.mig for pool in config.gpu_pools), "it cuts MIG slices"),
        (
            Addon.GPU_OPERATOR,
            bool(config.models) and allocator(states[Addon.DRA_DRIVER]) is Allocator.DEVICE_PLUGIN,
            "its device plugin hands GPUs out, since the DRA driver is off",
        ),
        (
            Addon.EFA_DEVICE_PLUGIN,
            any(pool.fabric is Fabric.EFA for pool in config.gpu_pools),
            "it hands the fabric's interfaces out to pods",
        ),
        (
            Addon.MODEL_STORAGE,
            any(m.weights is Weights.REAL for m in config.models),
            "real weights lie there",
        ),
    )
    for addon, needed_now, why in rules:
        if needed_now and states[addon] is AddonState.OFF:
            yield Problem(f"addons.{addon.value}", "off", f"{why}: use managed or existing")
    if config.gpu_layer is not None and not capabilities(config.cluster.kind).reached_by_kubeconfig:
        made = f"a cluster of kind {config.cluster.kind.value} is made with the stack, and empty"
        yield Problem("gpu-layer", config.gpu_layer.recipe, f"{made}: use it on kind existing")
    storage = config.addons.get(Addon.MODEL_STORAGE)
    if storage is AddonState.EXISTING and config.model_storage.kind is not StorageKind.EXISTING:
        yield Problem(
            "addons.model-storage", "existing", "say so in model-storage: {kind: existing, endpoint: URL}"
        )
