"""Charts, images and models of a plan with what pins them."""

from collections.abc import Mapping

from corral.catalogue._read import UNRESOLVED
from corral.stacks.config.model_lock import LockedModel as ModelLock
from corral.stacks.planning.digests import TOOLS, Artifacts, artifacts
from corral.stacks.planning.results.models import AdapterPlan, ModelPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.evidence.facts import Artifact, LockedFile, LockedModel


def artifacts_of(plan: Plan) -> Artifacts:
    """Entries of the catalogue that `plan` installs, charts as its mirror has them."""
    states = {one.addon: one.state for one in plan.addons}
    vectors = plan.vector_db and plan.vector_db.engine
    apart = any(one.prefill is not None for one in plan.models)
    engines = {one.engine for one in plan.models}
    return artifacts(states, vectors, engines, plan.supply.registry, prefill=apart)


def charts_of(plan: Plan) -> tuple[Artifact, ...]:
    """The charts of `plan`."""
    entries = artifacts_of(plan).charts
    return tuple(Artifact(one.name, one.version, one.reference, one.digest) for one in entries)


def images_of(plan: Plan) -> tuple[Artifact, ...]:
    """The images of `plan`, as pods name them."""
    return tuple(
        _own_tools(plan.supply.tools_image)
        if one.name == TOOLS and plan.supply.tools_image is not None
        else Artifact(
            one.name, one.tag, one.reference(plan.supply.registry), one.digest, one.unresolvable or ""
        )
        for one in artifacts_of(plan).images
    )


def _own_tools(reference: str) -> Artifact:
    name, _, digest = reference.partition("@")
    tag = name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else ""
    return Artifact(TOOLS, tag, reference, digest or UNRESOLVED)


def models_of(plan: Plan, locked: Mapping[str, ModelLock]) -> tuple[LockedModel, ...]:
    """The models and adapters of `plan`; `locked`: what their sources held."""
    return tuple(
        _model(one, model, locked.get(one.name))
        for model in plan.models
        for one in (model, *(() if model.canary_of is not None else model.adapters))
    )


def _model(one: ModelPlan | AdapterPlan, of: ModelPlan, lock: ModelLock | None) -> LockedModel:
    same = lock is not None and [file.sha256 for file in lock.files] == [file.sha256 for file in one.files]
    known = lock if same else None
    return LockedModel(
        name=one.name,
        model=of.model,
        source=one.source,
        license=one.license,
        weights=of.weights.value,
        revision=(known and known.revision) or UNRESOLVED,
        adapter_of=of.name if isinstance(one, AdapterPlan) else None,
        files=tuple(LockedFile(file.name, file.size, file.sha256) for file in one.files),
    )
