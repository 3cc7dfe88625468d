"""What vLLM v0.30.0 keeps on each device for LoRA adapters, whichever of them are called.

`create_lora_weights` of each class in vllm/lora/layers makes the factors of `--max-loras` adapters of
`--max-lora-rank`, in two bytes an element: for every linear layer, embedding and output layer, or for those
that `--lora-target-modules` names (`is_in_target_modules` in vllm/lora/utils.py). Layers that the engine has
merged go in together. Tensor parallelism divides one factor of two (`fully_sharded_loras` is off).
"""

from dataclasses import dataclass

from corral.catalogue.adapters import ATTENTION, DOWN, EMBEDDING, GATES, HEAD, MODULES, OUTPUT, slot_rank
from corral.catalogue.attention import Grouped, Sliding, Stateful
from corral.catalogue.models import Experts, ModelSpec
from corral.stacks.config.stack_config import ModelSection

ELEMENT = 2
"""Bytes of an element of a factor: adapters have the type that the model computes in."""
PRODUCT, SLICES = 4, 3
"""Bytes of an element of what a step keeps between both factors, of as many merged layers at most."""


@dataclass(frozen=True)
class Lora:
    """Adapters of one model, as its engine is told of them."""

    names: tuple[str, ...]
    slots: int
    """Adapters on the GPU at the same time, `--max-loras`."""
    rank: int
    """`--max-lora-rank`."""
    targets: frozenset[str] | None
    """Modules that the adapters change; None: not known."""


def lora_of(model: ModelSection) -> Lora | None:
    """The adapters of `model`; None: it has none, or the rank of one is not known."""
    ranks = [one.rank for one in model.adapters if one.rank is not None]
    if not ranks or len(ranks) < len(model.adapters):
        return None
    stated = [one.target_modules for one in model.adapters]
    known = [name.rpartition(".")[2] for one in stated if one for name in one]
    return Lora(
        names=tuple(one.name for one in model.adapters),
        slots=model.max_loras or len(ranks),
        rank=slot_rank(max(ranks)),
        targets=frozenset(known) if all(stated) else None,
    )


def sized(spec: ModelSpec) -> bool:
    """Whether the layers that adapters change are known of `spec`."""
    return isinstance(spec.attention, Grouped) and not isinstance(spec.attention, Stateful)


def targets(spec: ModelSpec, lora: Lora) -> frozenset[str] | None:
    """`--lora-target-modules`; None: all, since a name is not known or may be that of an expert's layer."""
    if spec.experts is not None or lora.targets is None or not lora.targets <= MODULES:
        return None
    return lora.targets


def reserved(spec: ModelSpec, lora: Lora, *, parallel: int, step: int) -> int:
    """Bytes on each of `parallel` devices for `lora`, whose steps have `step` tokens."""
    wanted = targets(spec, lora) or MODULES
    widths = spec.layers * (_attention(spec, wanted, parallel) + _dense(spec, wanted, parallel))
    if spec.experts is not None:
        widths += spec.layers * _experts(spec.experts, spec.hidden, parallel)
    widths += sum(spec.vocabulary + spec.hidden for name in (EMBEDDING, HEAD) if name in wanted)
    slices = max(SLICES, 2 * spec.experts.active if spec.experts else 0)
    return lora.slots * lora.rank * widths * ELEMENT + slices * step * lora.rank * PRODUCT


def _attention(spec: ModelSpec, wanted: frozenset[str], parallel: int) -> int:
    """Width in and out of the projections of one layer."""
    kind = spec.attention
    assert isinstance(kind, Grouped)
    kv, dim = kind.kv_heads, kind.head_dim
    if isinstance(kind, Sliding):
        kv, dim = max(kv, kind.full_kv_heads or 0), max(dim, kind.full_head_dim or 0)
    query = kind.heads * dim // parallel
    total = 3 * spec.hidden + query + 2 * max(1, kv // parallel) * dim if wanted & ATTENTION else 0
    return total + (query + spec.hidden if wanted & OUTPUT else 0)


def _dense(spec: ModelSpec, wanted: frozenset[str], parallel: int) -> int:
    if not spec.intermediate:
        return 0
    width = spec.intermediate // parallel
    return (2 * (spec.hidden + width) if wanted & GATES else 0) + (
        width + spec.hidden if wanted & DOWN else 0
    )


def _experts(experts: Experts, hidden: int, parallel: int) -> int:
    """The three layers of every expert, and the router, which is on every device."""
    each = (experts.hidden or hidden) + experts.intermediate // parallel
    return experts.count * 3 * each + hidden + experts.count
