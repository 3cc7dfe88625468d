"""Which devices a model gets: the smallest kind that fits and is still free."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from corral.catalogue.gpus import gpus
from corral.catalogue.models import ModelSpec, models
from corral.catalogue.quantities import gib
from corral.catalogue.vocabulary import Engine, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import ModelSection
from corral.stacks.planning.gpu_pools.allocators import PoolAllocator
from corral.stacks.planning.gpu_pools.devices import DeviceKind
from corral.stacks.planning.gpu_pools.dynamic_mig import DynamicMigAllocator
from corral.stacks.planning.memory import text_embeddings
from corral.stacks.planning.memory.settings import EngineSettings, engine_settings
from corral.stacks.planning.memory.sizing import (
    Spread,
    full_sequences_that_fit,
    largest_context,
    memory,
    smallest_device,
    splits,
)
from corral.stacks.planning.results.models import MemoryPlan

PARALLEL = (1, 2, 4, 8)
"""Numbers of GPUs that one replica may span."""
SHOWN = 3
"""Kinds of devices that a refusal names, those with most of them free first."""
ROUND = 1024
"""An advised context is a multiple of this."""


@dataclass(frozen=True)
class DeviceFit:
    """Devices that one replica fits on, whoever has them."""

    device: DeviceKind
    count: int
    """Devices per replica."""
    memory: MemoryPlan
    """Of each device."""
    largest_context: int
    full_sequences: int


@dataclass(frozen=True)
class PoolPlacement(DeviceFit):
    """Pool and devices of one model."""

    pool: str
    nodes: int = 1
    """Nodes of each replica, with `count` devices on each."""


@dataclass(frozen=True)
class Replica:
    """What one replica needs of devices."""

    model: ModelSection
    facts: ModelSpec
    engine: Engine
    context: int

    @property
    def settings(self) -> EngineSettings:
        return engine_settings(self.model)

    def _spread(self, device: DeviceKind, count: int) -> Spread:
        return {"parallel": count, "capability": device.capability, "settings": self.settings}

    def on(self, device: DeviceKind, count: int) -> MemoryPlan:
        return memory(
            self.facts,
            self.engine,
            context=self.context,
            max_num_seqs=self.model.max_num_seqs,
            full_sequences=self.model.full_sequences,
            usable=device.usable,
            **self._spread(device, count),
        )

    def longest(self, device: DeviceKind, count: int) -> int:
        """Tokens of the largest context that fits on `count` such devices."""
        return largest_context(
            self.facts,
            self.engine,
            max_num_seqs=self.model.max_num_seqs,
            full_sequences=self.model.full_sequences,
            usable=device.usable,
            **self._spread(device, count),
        )

    def sequences(self, device: DeviceKind, count: int) -> int:
        """Sequences at full context that fit on `count` such devices at the same time; 0 of an encoder."""
        if self.facts.encoder:
            return 0
        return full_sequences_that_fit(
            self.facts,
            self.engine,
            context=self.context,
            max_num_seqs=self.model.max_num_seqs,
            usable=device.usable,
            **self._spread(device, count),
        )

    def runs_on(self, device: DeviceKind) -> bool:
        """Whether its engine has a program for such devices."""
        if self.engine is not Engine.TEXT_EMBEDDINGS:
            return True
        return text_embeddings.runs_on(self.facts, device.capability)

    def spans(self, device: DeviceKind) -> Sequence[int]:
        """Numbers of such devices that one replica may be spread over."""
        stated = self.model.tensor_parallel
        numbers = PARALLEL if stated is None else (stated,)
        if not self.runs_on(device):
            return []
        return [n for n in numbers if n <= device.most and splits(self.facts, self.engine, n)]

    def fit(self, device: DeviceKind, count: int) -> DeviceFit:
        """What one replica has on `count` such devices."""
        longest, full = self.longest(device, count), self.sequences(device, count)
        return DeviceFit(device, count, self.on(device, count), longest, full)

    def smallest(self) -> int:
        return smallest_device(
            self.facts,
            self.engine,
            context=self.context,
            max_num_seqs=self.model.max_num_seqs,
            full_sequences=self.model.full_sequences,
            parallel=self.model.tensor_parallel or 1,
            settings=self.settings,
        )


def place(path: str, need: Replica, allocators: Sequence[PoolAllocator]) -> PoolPlacement | Problem:
    """Devices for all replicas of a model, reserved in their pool; or why there are none."""
    model = need.model
    open_to = [
        allocator
        for allocator in allocators
        if model.pool in (None, allocator.pool.name) and _serves(allocator, need.engine)
    ]
    options = sorted(_options(need, open_to), key=lambda option: option[1].usable * option[2])
    for allocator, device, count in options:
        each = need.on(device, count)
        if allocator.take(device, count, model.replicas.max, (model.name, each.used)):
            return PoolPlacement(**vars(need.fit(device, count)), pool=allocator.pool.name)
    return _full(path, need, options) if options else _too_large(path, need, open_to)


def smallest_fit(
    model: ModelSection, facts: ModelSpec, engine: Engine, context: int, devices: Sequence[DeviceKind]
) -> DeviceFit | None:
    """The smallest of `devices`, and the fewest of it, that one replica fits on; None: it fits on none."""
    need = Replica(model, facts, engine, context)
    for device in sorted(devices, key=lambda one: one.usable):
        count = _count(need, device)
        if count:
            return need.fit(device, count)
    return None


def least_memory(model: ModelSection, facts: ModelSpec, engine: Engine, context: int) -> int:
    """Bytes of the smallest single device that would hold one replica, if there were one of every size."""
    return Replica(model, facts, engine, context).smallest()


def _serves(allocator: PoolAllocator, engine: Engine) -> bool:
    """Whether `engine` can be kept to a share: vLLM sizes itself by the memory that it sees, and what it sees
    under the limit of MPS has not been measured."""
    return not (allocator.pool.sharing.kind is SharingKind.MPS and engine is Engine.VLLM)


def _options(
    need: Replica, allocators: Sequence[PoolAllocator]
) -> Iterator[tuple[PoolAllocator, DeviceKind, int]]:
    """Per pool the smallest kinds of devices, and the fewest of each, that one replica fits on."""
    counts: dict[DeviceKind, int] = {}
    for allocator in allocators:
        for device in allocator.devices():
            if device not in counts:
                counts[device] = _count(need, device)
            if counts[device]:
                yield allocator, device, counts[device]


def _count(need: Replica, device: DeviceKind) -> int:
    """Devices that one replica needs; 0: it does not fit on any number of them."""
    return next((n for n in need.spans(device) if need.on(device, n).free >= 0), 0)


def _too_large(path: str, need: Replica, allocators: Sequence[PoolAllocator]) -> Problem:
    each = f" on each of {need.model.tensor_parallel}" if (need.model.tensor_parallel or 1) > 1 else ""
    need_text = f"{need.model.name} needs {gib(need.smallest())} of GPU memory{each}"
    devices = [(allocator.pool.name, device) for allocator in allocators for device in allocator.devices()]
    if not devices:
        reason = f"there is no GPU pool that {need.engine.value} can use: add one to gpu-pools"
        return Problem(path, need_text, reason)
    if not any(need.runs_on(device) for _, device in devices):
        offered = ", ".join({f"{one.capability or 'unknown'} of {pool}": None for pool, one in devices})
        reason = f"no program of it computes {need.model.model} on compute capability {offered}"
        return Problem(f"{path}.engine", need.engine.value, f"{reason}: use another engine or pool")
    if need.engine is Engine.TEXT_EMBEDDINGS:
        return _no_batch(path, need, devices)
    pool, largest = max(devices, key=lambda one: one[1].usable * one[1].most)
    span = f"{largest.most} x " if largest.most > 1 else ""
    whole = _whole(need, allocators)
    why = f", and slices and shares have no path between them: {whole.needs}" if whole else ""
    use = _advice(need, largest, whole.use if whole else "")
    return Problem(
        path,
        need_text,
        f"the largest device is {span}{gib(largest.usable)} ({largest.words} of pool {pool}){why}; use {use}",
    )


def _no_batch(path: str, need: Replica, devices: Sequence[tuple[str, DeviceKind]]) -> Problem:
    """A model, on one device, whose batch is larger than any of them."""
    open_to = [one for one in devices if need.runs_on(one[1])]
    pool, largest = max(open_to, key=lambda one: one[1].usable)
    tokens, longest = text_embeddings.batch_tokens(need.facts, need.settings), need.facts.context
    use = f"max-num-batched-tokens: {longest}, or " if tokens > longest else ""
    used, most = gib(need.on(largest, 1).used), f"{gib(largest.usable)} ({largest.words} of pool {pool})"
    return Problem(
        path,
        f"{need.model.name} needs {used} of GPU memory for a batch of {tokens} tokens",
        f"the largest device is {most}; use {use}a larger one",
    )


class _Whole(NamedTuple):
    """What a replica would need if the GPUs of a pool of slices or shares were whole."""

    needs: str
    use: str
    """What to change; empty: a node of the pool has too few."""


def _whole(need: Replica, allocators: Sequence[PoolAllocator]) -> _Whole | None:
    """The first pool that would hold it, else the first of them; None: no number of such GPUs does."""
    options: list[_Whole] = []
    for pool in (
        allocator.pool for allocator in allocators if allocator.pool.sharing.kind is not SharingKind.WHOLE
    ):
        gpu = gpus()[pool.gpu]
        number = _count(need, DeviceKind(None, gpu.usable, PARALLEL[-1], capability=gpu.compute_capability))
        if number:
            enough = number <= pool.gpus_per_node
            node = f"a node of pool {pool.name} has {pool.gpus_per_node}"
            words = f"it needs {number} x {pool.gpu} whole, and {node}"
            options.append(_Whole(words, f"sharing: whole in pool {pool.name}" if enough else ""))
    return next((one for one in options if one.use), options[0] if options else None)


def _advice(need: Replica, device: DeviceKind, whole: str) -> str:
    """What fits on `device`: the largest context, a smaller dtype of the same model; or `whole`."""
    longest = max((need.longest(device, count) for count in need.spans(device)), default=0)
    shorter = [f"context: {longest // ROUND * ROUND}"] if longest >= ROUND else []
    smaller = [
        f"model: {key}"
        for key in _relatives(need)
        if _count(Replica(need.model, models()[key], need.engine, need.context), device)
    ]
    nearer = [*shorter, *smaller[:1], *([whole] if whole else [])]
    return ", ".join([*nearer, "or a larger device"]) if nearer else "a smaller model or a larger device"


def _relatives(need: Replica) -> Sequence[str]:
    """The same model in dtypes that weigh less, the heaviest first."""
    family = need.facts.family
    relatives = {key: one.weights for key, one in models().items() if family and one.family == family}
    lighter = [key for key, weights in relatives.items() if weights < need.facts.weights]
    return sorted(lighter, key=lambda key: -relatives[key])


def _full(path: str, need: Replica, options: Sequence[tuple[PoolAllocator, DeviceKind, int]]) -> Problem:
    allocator, device, count = options[0]
    left = [
        (one.free(other) // number, f"{other.words} of {one.pool.name}") for one, other, number in options
    ]
    left.sort(key=lambda option: -option[0])
    most, others = left[0][0], f" and {len(left) - SHOWN} others" if len(left) > SHOWN else ""
    words = ", ".join(f"{number} on {where}" for number, where in left[:SHOWN])
    alike = [
        f"mig: auto in pool {one.pool.name}, which would hold them"
        for one, other, number in options
        if isinstance(one, DynamicMigAllocator) and one.packs(other, number * need.model.replicas.max)
    ]
    use = [f"replicas: {most}, or more GPUs" if most else "more GPUs, or fewer models", *alike[:1]]
    span = f"{need.model.replicas.max} x " + (f"{count} x " if count > 1 else "")
    size = f"{gib(need.on(device, count).used)} on {device.words} of pool {allocator.pool.name}"
    return Problem(
        path,
        f"{need.model.name} needs {span}{size}",
        f"replicas that still fit are {words}{others}; use {', or '.join(use)}",
    )
