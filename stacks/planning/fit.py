"""Where a model fits, without a stack file: the devices of every GPU, sized and priced as a plan does it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction

from corral.catalogue.gpus import architecture, geforce_license, geometry, gpus, served, shape
from corral.catalogue.instances import instances
from corral.catalogue.models import WEIGHT_BYTES, ModelSpec, models
from corral.catalogue.prices import offers, regions
from corral.catalogue.vocabulary import Dtype, Engine, Purchase, Vendor
from corral.stacks.config.stack_config import GpuPool, ModelSection
from corral.stacks.planning.defaults import context_of
from corral.stacks.planning.gpu_pools.devices import DeviceKind
from corral.stacks.planning.gpu_pools.mig import slices_of
from corral.stacks.planning.gpu_pools.placement import DeviceFit, least_memory, smallest_fit
from corral.stacks.planning.gpu_pools.whole import WholeAllocator
from corral.stacks.planning.memory.notes import UNCALIBRATED, long_context
from corral.stacks.planning.memory.text_embeddings import runs_on
from corral.stacks.planning.pricing import Money, gpu_shares, money, quantum
from corral.stacks.planning.results.fit import FitPlan, FitPrice, GpuFit, Provenance, SpecPlan
from corral.stacks.planning.results.pools import GpuPlan, SlicePlan

MOST = 8
"""GPUs of one node that a replica may span."""
AMD_NOTE = "AMD GPUs are sized as vLLM on CUDA is; what ROCm takes beside it was not calibrated"


def spec_plan(name: str, spec: ModelSpec, provenance: Provenance) -> SpecPlan:
    """What `spec`, read where `provenance` has it, says of model `name`."""
    return SpecPlan(
        **asdict(provenance),
        model=name,
        task=spec.task,
        license=spec.license,
        gated=spec.gated,
        engine=spec.engine,
        dtype=spec.dtype,
        attention=spec.attention.kind + (f", {spec.experts.count} experts" if spec.experts else ""),
        layers=spec.layers,
        weights=spec.weights,
        longest_context=spec.context,
    )


SIXTEEN_BIT = (Dtype.BF16, Dtype.FP16)
"""Of weights stored so the number of parameters is known, and so what they weigh in fewer bits."""


def with_dtype(name: str, spec: ModelSpec, dtype: Dtype) -> tuple[str, ModelSpec]:
    """Name and figures of the same model in `dtype`: an entry of its family, else computed.

    Raises:
        ValueError: vLLM does not serve it so, or its weights cannot be computed.
    """
    if spec.dtype is dtype:
        return name, spec
    relatives = {key: one for key, one in models().items() if spec.family and one.family == spec.family}
    relative = next((key for key, one in relatives.items() if one.dtype is dtype), None)
    if relative is not None:
        return relative, relatives[relative]
    if spec.engine is not Engine.VLLM or dtype in (Dtype.FP32, Dtype.Q4_1):
        words = ", ".join(one.value for one in WEIGHT_BYTES if one not in (Dtype.FP32, Dtype.Q4_1))
        raise ValueError(f"{spec.engine.value} does not serve {name} so: vLLM serves {words}")
    if spec.dtype not in SIXTEEN_BIT:
        raise ValueError(f"{name} is stored as {spec.dtype.value}, from which nothing else can be computed")
    parameters = spec.weights / WEIGHT_BYTES[spec.dtype] / 10**9
    changed = {"dtype": dtype, "weights_gib": None, "weights_bytes": None, "parameters": parameters}
    return name, spec.model_copy(update=changed)


def fit(
    described: SpecPlan,
    spec: ModelSpec,
    *,
    context: int | None = None,
    max_num_seqs: int | None = None,
    only: Sequence[str] = (),
    region: str | None = None,
    purchase: Purchase = Purchase.ON_DEMAND,
) -> FitPlan:
    """Where one replica of `spec` fits: the smallest MIG slice and the fewest whole GPUs of each kind of GPU.

    `context` and `max_num_seqs`: a stack file's defaults where they are None. `only`: GPUs, all where it is
    empty. `region`: of the prices; the cheapest of all regions where it is None.
    """
    section = _section(max_num_seqs)
    tokens = context_of(section, spec) if context is None else context
    counted = money(None)
    keys = only or tuple(gpus())
    fits: list[GpuFit] = []
    too_small: list[str] = []
    for key in keys:
        holders = [
            one for one in (_slices(key, section, spec, tokens), _whole(key, section, spec, tokens)) if one
        ]
        fits += [_gpu_fit(key, one, region, purchase, counted) for one in holders]
        if not holders and _runs_on(key, spec):
            too_small.append(key)
    return FitPlan(
        spec=described,
        context=tokens,
        max_num_seqs=section.max_num_seqs,
        currency=counted.currency,
        exchange_basis=counted.basis,
        fits=tuple(sorted(fits, key=_order)),
        too_small=tuple(too_small),
        least_memory=least_memory(section, spec, spec.engine, tokens),
        notes=(*_notes(keys, spec), *long_context(spec, spec.engine, tokens)),
    )


def _runs_on(key: str, spec: ModelSpec) -> bool:
    """Whether the engine has a program for this GPU."""
    return spec.engine is not Engine.TEXT_EMBEDDINGS or runs_on(spec, gpus()[key].compute_capability)


def _section(max_num_seqs: int | None) -> ModelSection:
    stated = {} if max_num_seqs is None else {"max-num-seqs": max_num_seqs}
    return ModelSection.model_validate({"name": "model", "model": "model", **stated})


def _slices(key: str, section: ModelSection, spec: ModelSpec, context: int) -> DeviceFit | None:
    """The smallest slice that is less than the GPU."""
    profiles = gpus()[key].profiles
    parts = tuple(one for one in profiles if shape(key, one).memory < geometry(key).memory)
    return smallest_fit(section, spec, spec.engine, context, slices_of(key, parts) if parts else ())


def _whole(key: str, section: ModelSection, spec: ModelSpec, context: int) -> DeviceFit | None:
    pool = GpuPool.model_validate(
        {"name": "whole", "gpu": key, "nodes": {"names": ["node"]}, "gpus-per-node": MOST}
    )
    return smallest_fit(section, spec, spec.engine, context, WholeAllocator(pool).devices())


def _gpu_fit(key: str, holder: DeviceFit, region: str | None, purchase: Purchase, counted: Money) -> GpuFit:
    device = holder.device
    return GpuFit(
        gpu=key,
        vendor=architecture(key).vendor,
        served=key in served() and gpus()[key].resolved,
        device=f"{holder.count} GPUs" if holder.count > 1 else device.words,
        profile=device.profile,
        count=holder.count,
        memory=holder.memory,
        largest_context=holder.largest_context,
        full_sequences=holder.full_sequences,
        price=min(
            _prices(key, device, holder.count, region, purchase, counted),
            key=lambda one: one.hour,
            default=None,
        ),
    )


def _prices(
    key: str, device: DeviceKind, count: int, region: str | None, purchase: Purchase, counted: Money
) -> Iterator[FitPrice]:
    """What a replica costs on each instance that has as many of the GPUs, in each region with a price."""
    part = count * _share(key, device)
    for name, entry in instances().items():
        if entry.gpu != key or entry.gpus < count:
            continue
        for place in regions(name) if region is None else (region,):
            price = offers(name, place).get(purchase)
            if price is None:
                continue
            node = counted.of(price.per_hour)
            hour = Fraction(node) * part / entry.gpus
            yield FitPrice(
                instance=name,
                region=place,
                purchase=purchase,
                hour=quantum(Decimal(hour.numerator) / Decimal(hour.denominator)),
                instance_hour=quantum(node),
                basis=f"{price.source.name}, {price.source.date}",
            )


def _share(key: str, device: DeviceKind) -> Fraction:
    """What one device is of its GPU, as a plan counts it."""
    gpu = GpuPlan("node", 0, (SlicePlan(device.profile, device.usable, "model"),))
    return next(share for _model, share in gpu_shares(key, gpu))


def _order(one: GpuFit) -> tuple[bool, Decimal, int]:
    hour = one.price.hour if one.price else Decimal()
    return one.price is None, hour, one.memory.usable * one.count


def _notes(keys: Sequence[str], spec: ModelSpec) -> Iterator[str]:
    if any(architecture(key).vendor is Vendor.AMD for key in keys):
        yield AMD_NOTE
    if any(gpus()[key].geforce for key in keys):
        yield f"GeForce: {geforce_license().name}"
    eight, four = (Dtype.FP8, Dtype.FP8_BLOCK, Dtype.FBGEMM_FP8), (Dtype.MXFP4, Dtype.NVFP4)
    bits = 8 if spec.dtype in eight else 4 if spec.dtype in four else None
    made = {key: architecture(key) for key in keys}
    lacking = [key for key, one in made.items() if bits and not (one.fp8 if bits == 8 else one.fp4)]
    if lacking:
        yield f"no arithmetic in {bits} bits of its own, weights are unpacked: {', '.join(lacking)}"
    if spec.engine is Engine.LLAMA_CPP:
        yield "llama.cpp is sized by its file and cache alone, without calibration"
    if spec.engine is Engine.TEXT_EMBEDDINGS:
        yield UNCALIBRATED
        if without := [key for key in keys if not _runs_on(key, spec)]:
            yield f"text-embeddings has no program for {', '.join(without)}"
