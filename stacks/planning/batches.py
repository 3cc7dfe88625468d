"""Section `batches`: who answers what, when, and how much at a time."""

import hashlib
import json
from collections.abc import Sequence

from corral.catalogue.images import image
from corral.catalogue.runtimes import RUNTIMES
from corral.catalogue.stores import BATCHES
from corral.stacks.config.sections.batches import BatchSection
from corral.stacks.planning.results.batches import BatchPlan
from corral.stacks.planning.results.models import ModelPlan


def batch_plans(sections: Sequence[BatchSection], models: Sequence[ModelPlan]) -> tuple[BatchPlan, ...]:
    """Every batch, in its model's namespace."""
    known = {model.name: model for model in models}
    return tuple(_plan(section, known[section.model]) for section in sections)


def _plan(section: BatchSection, model: ModelPlan) -> BatchPlan:
    revision = revision_of(model) if section.per_revision else None
    return BatchPlan(
        name=section.name,
        tenant=model.tenant,
        namespace=model.namespace,
        model=model.name,
        asked_for=model.canary_of or model.name,
        schedule=section.schedule,
        time_zone=section.time_zone,
        bucket=BATCHES,
        input=f"{model.tenant}/{input_of(section)}",
        output="/".join(filter(None, (model.tenant, output_of(section), revision))),
        revision=revision,
        concurrency=section.concurrency or max(1, model.max_num_seqs // 2),
        deadline=section.deadline,
    )


def revision_of(model: ModelPlan) -> str:
    """Ten hex digits that change with a model's files, where they are not locked its source, with what its
    engine is told, and with the engine's image."""
    files = [(file.name, file.sha256) for file in model.files] or model.source
    server = image(RUNTIMES[model.engine].image).pinned
    parts = (model.model, files, model.args, sorted(model.environment.items()), server)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:10]


def input_of(section: BatchSection) -> str:
    """Prefix of its requests, below the tenant's."""
    return section.input or f"{section.name}/input"


def output_of(section: BatchSection) -> str:
    """Prefix of its answers, below the tenant's."""
    return section.output or f"{section.name}/output"
