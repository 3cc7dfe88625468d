"""Models as they are served: arguments, device requests, memory, placements."""

from collections.abc import Mapping, Sequence

from corral.catalogue.disaggregation import DECODE_PORT, Role, prefill_name, transfer_option
from corral.catalogue.gpus import gpus
from corral.catalogue.serving_kinds import PORTS, served_names
from corral.catalogue.stores import model_prefix
from corral.catalogue.vocabulary import Allocator
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import GpuPool, ModelSource
from corral.stacks.planning.adapters import adapter_plans
from corral.stacks.planning.cold_start import cold_start
from corral.stacks.planning.defaults import ModelRequest
from corral.stacks.planning.device_requests import devices_of, request
from corral.stacks.planning.gpu_pools.placement import PoolPlacement
from corral.stacks.planning.memory.notes import notes, transfer_notes
from corral.stacks.planning.memory.settings import engine_settings
from corral.stacks.planning.model_files import adapter_bytes, file_bytes, model_files, pinned_source
from corral.stacks.planning.results.models import (
    AdapterPlan,
    ColdStart,
    FilePlan,
    ModelPlan,
    PrefillPlan,
    ReplicaPlacement,
    SourcePlan,
)
from corral.stacks.planning.scaling import scaling_plan
from corral.stacks.planning.serving import arguments, environment, host_memory_gib
from corral.stacks.planning.sources import origin


def model_plans(
    requests: Sequence[ModelRequest],
    chosen: Sequence[PoolPlacement],
    apart: Mapping[str, PoolPlacement],
    replicas: Mapping[str, Sequence[ReplicaPlacement]],
    pools: Mapping[str, GpuPool],
    by: Allocator,
    locked: Mapping[str, LockedModel],
    sources: Sequence[ModelSource],
) -> tuple[ModelPlan, ...]:
    """Each of `requests` at its place of `chosen`; `replicas`: by model, `pools` by name.

    `apart`: by model, where replicas of their own read its prompts.
    """
    return tuple(
        _model_plan(
            one,
            placement,
            replicas[one.config.name],
            pools[placement.pool],
            by,
            _prefill_plan(one, apart[one.config.name], replicas, pools, by)
            if one.config.name in apart
            else None,
            pinned_source(one.config, one.spec, locked),
            model_files(one.config, one.spec, locked),
            origin(one.config, one.spec, sources),
            adapter_plans(one.config, one.spec, locked, sources),
            cold_start(
                file_bytes(one.config, one.spec, locked),
                one.engine,
                pools[placement.pool].instance,
                cached=one.config.local_cache,
                load=one.config.load,
                adapters=adapter_bytes(one.config, locked),
            ),
        )
        for one, placement in zip(requests, chosen, strict=True)
    )


def _model_plan(
    one: ModelRequest,
    placement: PoolPlacement,
    replicas: Sequence[ReplicaPlacement],
    pool: GpuPool,
    by: Allocator,
    prefill: PrefillPlan | None,
    source: str,
    files: tuple[FilePlan, ...],
    opened_by: SourcePlan | None,
    adapters: tuple[AdapterPlan, ...],
    start: ColdStart,
) -> ModelPlan:
    """A model of `files` from `source`, which `opened_by` opens, on devices of `pool` that `by` hands out."""
    section, spec, gpu = one.config, one.spec, gpus()[pool.gpu]
    names = served_names(section.kind, section.name, prefill=prefill is not None)
    return ModelPlan(
        name=section.name,
        namespace=one.namespace,
        tenant=one.tenant,
        model=section.model,
        task=spec.task,
        license=spec.license,
        engine=one.engine,
        args=_arguments(
            one,
            placement,
            pool,
            port=PORTS[section.kind] if prefill is None else DECODE_PORT,
            files=[file.name for file in files] or [file.name for file in spec.files],
            role=None if prefill is None else Role.DECODE,
        ),
        environment=environment(spec, one.engine, one.context),
        weights=section.weights,
        source=source,
        files=files,
        origin=opened_by,
        storage_path=model_prefix(section.name, source, {file.name: file.sha256 for file in files}),
        claim=request(by, gpu, placement),
        device=devices_of(placement),
        pool=placement.pool,
        replicas_min=section.replicas.min,
        replicas_max=section.replicas.max,
        context=one.context,
        max_num_seqs=section.max_num_seqs,
        memory=placement.memory,
        host_memory_gib=host_memory_gib(
            placement.memory,
            section.load,
            placement.count,
            adapters=sum(file.size for one in adapters for file in one.files),
        ),
        largest_context=placement.largest_context,
        full_sequences=placement.full_sequences,
        placements=tuple(replicas),
        adapters=adapters,
        adapter_slots=min(section.max_loras or len(adapters), len(adapters)),
        notes=(
            *notes(
                spec,
                one.engine,
                engine_settings(section),
                usable=placement.device.usable,
                capability=placement.device.capability,
                context=one.context,
            ),
            *(
                ()
                if prefill is None
                else transfer_notes(
                    prefill.memory,
                    prefill.claim.count,
                    context=one.context,
                    full_sequences=section.full_sequences,
                )
            ),
        ),
        cold_start=start,
        local_cache=section.local_cache,
        canary_of=one.canary_of,
        weight=one.weight,
        scaling=scaling_plan(section, start),
        max_tokens=section.max_tokens,
        time_to_first_token=section.time_to_first_token,
        priority=section.priority,
        service=f"{names.service}.{one.namespace}.svc.cluster.local",
        kind=section.kind,
        nodes=placement.nodes,
        prefill=prefill,
    )


def _prefill_plan(
    one: ModelRequest,
    placement: PoolPlacement,
    replicas: Mapping[str, Sequence[ReplicaPlacement]],
    pools: Mapping[str, GpuPool],
    by: Allocator,
) -> PrefillPlan:
    """The replicas that read prompts of `one`, on devices of their own."""
    assert one.config.prefill is not None
    name, pool = prefill_name(one.config.name), pools[placement.pool]
    return PrefillPlan(
        name=name,
        replicas=one.config.prefill.replicas,
        args=_arguments(one, placement, pool, port=PORTS[one.config.kind], files=(), role=Role.PREFILL),
        claim=request(by, gpus()[pool.gpu], placement),
        device=devices_of(placement),
        pool=placement.pool,
        memory=placement.memory,
        host_memory_gib=host_memory_gib(placement.memory, one.config.load, placement.count),
        largest_context=placement.largest_context,
        full_sequences=placement.full_sequences,
        placements=tuple(replicas[name]),
    )


def _arguments(
    one: ModelRequest,
    placement: PoolPlacement,
    pool: GpuPool,
    *,
    port: int,
    files: Sequence[str],
    role: Role | None,
) -> tuple[str, ...]:
    """Arguments of a server of `one` at `placement`; `role`: what it does where prompts are read apart."""
    section = one.config
    stated = arguments(
        one.called,
        one.spec,
        one.engine,
        context=one.context,
        max_num_seqs=section.max_num_seqs,
        parallel=placement.count,
        port=port,
        stages=placement.nodes,
        shares=placement.device.shares,
        half=not gpus()[pool.gpu].bf16,
        usable=placement.device.usable,
        settings=engine_settings(section),
        max_tokens=section.max_tokens,
        files=files,
    )
    return stated if role is None else (*stated, *transfer_option(role).arguments)
