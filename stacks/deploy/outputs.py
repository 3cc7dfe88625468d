"""What `pulumi stack output` shows."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from corral.catalogue.vocabulary import Addon, AddonState
from corral.components.gateway import Gateway
from corral.components.model import Model
from corral.components.model_storage import ModelStorage
from corral.components.observability import Observability
from corral.components.policy_evidence import PolicyEvidence
from corral.components.vector_db import VectorDatabase
from corral.stacks.deploy.built import Built
from corral.stacks.deploy.component_args.admission import demanded_controls, excepted_control
from corral.stacks.planning.results.gateway import TenantRoutes
from corral.stacks.planning.results.models import ModelPlan, PrefillPlan
from corral.stacks.planning.results.plan import Plan


def outputs(plan: Plan, models: Mapping[str, Model], built: Built) -> Mapping[str, pulumi.Input[Any]]:
    """Addresses, placements and policy of the platform."""
    storage, database = built.get(ModelStorage), built.get(VectorDatabase)
    observability, gateway = built.get(Observability), built.get(Gateway)
    return {
        "endpoints": {name: model.url for name, model in models.items()},
        "gateway": gateway and _calls(plan, gateway),
        "unlocked-models": [name for model in plan.models for name in model.unlocked_names],
        "placements": {one.name: _placements(one) for model in plan.models for one in model.workloads},
        "vector-db": database and pulumi.Output.format("{}:{}", database.service, database.port),
        "bucket": storage and pulumi.Output.concat("s3://", storage.store["bucket"]),
        "grafana": observability and observability.grafana,
        "policy": {**_run(built.get(PolicyEvidence)), **_policy(plan)},
    }


def _calls(plan: Plan, gateway: Gateway) -> dict[str, Any]:
    """Where applications call models, and what they show."""
    routed = () if plan.gateway is None else plan.gateway.tenants
    example = next((one for one in routed if one.models), None)
    return {
        "url": gateway.url,
        "service": gateway.service,
        "base-urls": gateway.endpoints,
        "credentials": {
            one.tenant: f"corral keys make {one.tenant} NAME" if one.tokens is None else one.tokens.issuer
            for one in routed
        },
        "example": None if example is None else gateway.endpoints[example.tenant].apply(_curl(example)),
    }


def _curl(routes: TenantRoutes) -> Callable[[str], str]:
    body = json.dumps({"model": routes.models[0], "messages": [{"role": "user", "content": "Hello"}]})
    return lambda url: (
        f"curl {url}/chat/completions -H 'Authorization: Bearer KEY' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def _placements(model: ModelPlan | PrefillPlan) -> list[dict[str, Any]]:
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
        "controls-at-admission": demanded_controls(plan) if managed else [],
        "admission-scope": plan.admission.scope.value if managed else "none",
        "admission-label": plan.admission.label,
        "admission-exempt": list(plan.admission.exempt) if managed else [],
        "digests-resolved": plan.digests.resolved,
        "digests-unresolved": len(plan.digests.unresolved),
    }
