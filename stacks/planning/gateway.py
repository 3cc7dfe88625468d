"""Section `gateway`: the endpoint and its routes."""

from collections.abc import Sequence

from corral.catalogue.clusters import ClusterCapabilities
from corral.catalogue.vocabulary import ServingKind, TokenUnit
from corral.stacks.config.stack_config import Gateway, GatewayTenant, Jwt, TenantTokens, TokenLimits
from corral.stacks.planning.results.gateway import (
    AdapterRoute,
    CanaryRoute,
    GatewayPlan,
    TenantRoutes,
    TokenLimitPlan,
    TokenPlan,
)
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.tenants import TenantPlan

NOTHING_OF_ITS_OWN = GatewayTenant()
NO_TOKENS_OF_ITS_OWN = TenantTokens()


def gateway_plan(
    section: Gateway | None,
    limits: TokenLimits | None,
    tenants: Sequence[TenantPlan],
    models: Sequence[ModelPlan],
    known: ClusterCapabilities,
) -> GatewayPlan | None:
    """The endpoint with a route per model of each of `tenants`; None: there is none."""
    if section is None:
        return None
    return GatewayPlan(
        host=section.host,
        port=section.port,
        issuer=section.issuer,
        load_balancer=None if section.load_balancer is None else tuple(section.load_balancer.items()),
        replicas=section.replicas or known.controller_replicas,
        timeout_seconds=section.timeout,
        max_body_mib=int(section.max_body.removesuffix("Mi")),
        availability=section.availability,
        tenants=tuple(_routes(section, limits, tenant, models) for tenant in tenants),
    )


def _routes(
    section: Gateway, limits: TokenLimits | None, tenant: TenantPlan, models: Sequence[ModelPlan]
) -> TenantRoutes:
    own = section.tenants.get(tenant.name, NOTHING_OF_ITS_OWN)
    return TenantRoutes(
        tenant=tenant.name,
        namespace=tenant.namespace,
        models=tenant.models,
        requests_per_minute=own.requests_per_minute or section.requests_per_minute,
        tokens=None if own.jwt is None else _tokens(own.jwt),
        adapters=tuple(
            AdapterRoute(each.name, one.name)
            for one in models
            if one.canary_of is None and one.tenant == tenant.name
            for each in one.adapters
        ),
        canaries=tuple(
            CanaryRoute(one.canary_of, one.name, one.weight or 0)
            for one in models
            if one.canary_of is not None and one.tenant == tenant.name
        ),
        scaled=tuple(one.name for one in models if one.scaling is not None and one.tenant == tenant.name),
        llm_services=tuple(
            one.name
            for one in models
            if one.kind is ServingKind.LLM_INFERENCE_SERVICE and one.tenant == tenant.name
        ),
        disaggregated=tuple(
            one.name for one in models if one.prefill is not None and one.tenant == tenant.name
        ),
        token_limits=() if limits is None else token_limits(limits, tenant.name),
        max_tokens=tuple(
            (one.name, one.max_tokens)
            for one in models
            if one.max_tokens is not None and one.name in tenant.models
        ),
    )


def token_limits(section: TokenLimits, tenant: str) -> tuple[TokenLimitPlan, ...]:
    """Limits of a tenant, its own before the common ones; the longest window first."""
    own = section.tenants.get(tenant, NO_TOKENS_OF_ITS_OWN)
    stated = {
        TokenUnit.MONTH: own.tokens_per_month or section.tokens_per_month,
        TokenUnit.DAY: own.tokens_per_day or section.tokens_per_day,
        TokenUnit.MINUTE: own.tokens_per_minute or section.tokens_per_minute,
    }
    return tuple(TokenLimitPlan(most, unit) for unit, most in stated.items() if most is not None)


def _tokens(jwt: Jwt) -> TokenPlan:
    return TokenPlan(jwt.issuer, jwt.jwks, jwt.network, jwt.audiences, jwt.ca, jwt.refresh)
