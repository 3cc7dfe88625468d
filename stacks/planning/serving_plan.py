"""Models as they are served: arguments, device requests, memory, placements."""

from collections.abc import Sequence

from corral.catalogue.gpus import Gpu
from corral.catalogue.vocabulary import Allocator
from corral.stacks.planning.defaults import ModelRequest
from corral.stacks.planning.device_requests import devices_of, request
from corral.stacks.planning.gpu_pools.placement import PoolPlacement
from corral.stacks.planning.results.models import FilePlan, ModelPlan, ReplicaPlacement
from corral.stacks.planning.serving import arguments, host_memory_gib


def model_plan(
    one: ModelRequest,
    placement: PoolPlacement,
    replicas: Sequence[ReplicaPlacement],
    gpu: Gpu,
    by: Allocator,
    source: str,
    files: tuple[FilePlan, ...],
) -> ModelPlan:
    """A model made of `files` of `source` on devices of `gpu` that `by` hands out."""
    section, spec = one.config, one.spec
    return ModelPlan(
        name=section.name,
        namespace=one.namespace,
        tenant=one.tenant,
        model=section.model,
        task=spec.task,
        license=spec.license,
        engine=one.engine,
        args=arguments(
            section.name,
            spec,
            one.engine,
            context=one.context,
            max_num_seqs=section.max_num_seqs,
            parallel=placement.count,
            shares=placement.device.shares,
            usable=placement.device.usable,
            files=[file.name for file in files] or [file.name for file in spec.files],
        ),
        weights=section.weights,
        source=source,
        files=files,
        storage_path=section.name,
        claim=request(by, gpu, placement),
        device=devices_of(placement),
        pool=placement.pool,
        replicas_min=section.replicas.min,
        replicas_max=section.replicas.max,
        context=one.context,
        max_num_seqs=section.max_num_seqs,
        memory=placement.memory,
        host_memory_gib=host_memory_gib(placement.memory),
        largest_context=placement.largest_context,
        full_sequences=placement.full_sequences,
        placements=tuple(replicas),
        service=f"{section.name}-predictor.{one.namespace}.svc.cluster.local",
    )
