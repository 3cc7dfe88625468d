"""Section `batches`: who answers what, when, and how much at a time."""

import hashlib
import json
from collections.abc import Sequence

from corral.catalogue.images import image
from corral.catalogue.runtimes import RUNTIMES
from corral.catalogue.stores import BATCHES
from corral.stacks.config.sections.batches import BatchSection
from corral.stacks.planning.results.batches import BatchPlan
from corral.stacks.planning.results.models import AdapterPlan, ModelPlan


def batch_plans(sections: Sequence[BatchSection], models: Sequence[ModelPlan]) -> tuple[BatchPlan, ...]:
    """Every batch, in its model's namespace."""
    known: dict[str, tuple[ModelPlan, AdapterPlan | None]] = {model.name: (model, None) for model in models}
    known |= {one.name: (model, one) for model in models if model.canary_of is None for one in model.adapters}
    return tuple(_plan(section, *known[section.model]) for section in sections)


def _plan(section: BatchSection, model: ModelPlan, adapter: AdapterPlan | None) -> BatchPlan:
    revision = revision_of(model, adapter) if section.per_revision else None
    return BatchPlan(
        name=section.name,
        tenant=model.tenant,
        namespace=model.namespace,
        model=model.name,
        asked_for=model.canary_of or model.name if adapter is None else adapter.name,
        schedule=section.schedule,
        time_zone=section.time_zone,
        bucket=BATCHES,
        input=f"{model.tenant}/{input_of(section)}",
        output="/".join(filter(None, (model.tenant, output_of(section), revision))),
        revision=revision,
        concurrency=section.concurrency or max(1, model.max_num_seqs // 2),
        deadline=section.deadline,
    )


def revision_of(model: ModelPlan, adapter: AdapterPlan | None = None) -> str:
    """Ten hex digits that change with a model's files, where they are not locked its source, with those of an
    adapter, with what its engine is told, and with the engine's image."""
    files = [(file.name, file.sha256) for file in model.files] or model.source
    server = image(RUNTIMES[model.engine].image).pinned
    parts = (model.model, files, model.args, sorted(model.environment.items()), server)
    if adapter is not None:
        parts = (*parts, adapter.storage_path)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:10]


def input_of(section: BatchSection) -> str:
    """Prefix of its requests, below the tenant's."""
    return section.input or f"{section.name}/input"


def output_of(section: BatchSection) -> str:
    """Prefix of its answers, below the tenant's."""
    return section.output or f"{section.name}/output"
