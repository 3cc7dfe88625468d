"""What `pulumi stack output` shows."""

from collections.abc import Mapping
from typing import Any

import pulumi

from corral.catalogue.vocabulary import Addon, AddonState
from corral.components.model import Model
from corral.components.model_storage import ModelStorage
from corral.components.observability import Observability
from corral.components.policy_evidence import PolicyEvidence
from corral.components.vector_db import VectorDatabase
from corral.stacks.deploy.built import Built
from corral.stacks.deploy.component_args.admission import excepted_control, object_controls
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.plan import Plan


def outputs(plan: Plan, models: Mapping[str, Model], built: Built) -> Mapping[str, pulumi.Input[Any]]:
    """Addresses, placements and policy of the platform."""
    storage, database = built.get(ModelStorage), built.get(VectorDatabase)
    observability = built.get(Observability)
    return {
        "endpoints": {name: model.url for name, model in models.items()},
        "unlocked-models": [model.name for model in plan.models if model.unlocked],
        "placements": {model.name: _placements(model) for model in plan.models},
        "vector-db": database and pulumi.Output.format("{}:{}", database.service, database.port),
        "bucket": storage and pulumi.Output.concat("s3://", storage.store["bucket"]),
        "grafana": observability and observability.grafana,
        "policy": {**_run(built.get(PolicyEvidence)), **_policy(plan)},
    }


def _placements(model: ModelPlan) -> list[dict[str, Any]]:
    return [{"node": place.node, "gpu": place.gpu, "profile": place.profile} for place in model.placements]


def _run(evidence: PolicyEvidence | None) -> Mapping[str, Any]:
    """Which policy pack ran, and its verdict."""
    return {} if evidence is None else {"pack": evidence.policy, "verdict": evidence.verdict}


def _policy(plan: Plan) -> Mapping[str, Any]:
    managed = plan.state(Addon.ADMISSION) is AddonState.MANAGED
    return {
        "profile": plan.profile.value,
        "region": plan.region,
        "country": plan.country,
        "levels": {identity: level.value for identity, level in plan.policy.levels},
        "exceptions": [dict(excepted_control(one)) for one in plan.policy.exceptions],
        "controls-at-admission": object_controls() if managed else [],
        "admission-scope": plan.admission.scope.value if managed else "none",
        "admission-label": plan.admission.label,
        "admission-exempt": list(plan.admission.exempt) if managed else [],
        "digests-resolved": plan.digests.resolved,
        "digests-unresolved": len(plan.digests.unresolved),
    }
