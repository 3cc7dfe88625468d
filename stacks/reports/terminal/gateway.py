"""How applications call models, in lines and rows."""

from collections.abc import Iterator

from corral.stacks.planning.results.gateway import GatewayPlan, TenantRoutes
from corral.stacks.planning.results.plan import Plan

HEADINGS = ("tenant", "models", "base URL", "callers show", "requests per minute", "tokens")


def gateway_rows(plan: GatewayPlan) -> Iterator[tuple[str, ...]]:
    """A row per tenant."""
    for one in plan.tenants:
        limit = str(one.requests_per_minute)
        models = ", ".join((*one.models, *(each.name for each in one.adapters))) or "none"
        tokens = ", ".join(
            f"{each.tokens} a {each.unit.value.lower()}" for each in reversed(one.token_limits)
        )
        yield (one.tenant, models, plan.base_url(one.tenant), _shown(one), limit, tokens or "not limited")


def _shown(routes: TenantRoutes) -> str:
    if routes.tokens is None:
        return "API keys"
    return f"tokens of {routes.tokens.issuer} for {', '.join(routes.tokens.audiences)}"


def gateway_notes(plan: Plan) -> Iterator[str]:
    """What holds for all of them, and who calls without the gateway."""
    endpoint = plan.gateway
    if endpoint is None:
        return
    reached = "within the cluster alone" if endpoint.load_balancer is None else "by a load balancer"
    signed = endpoint.issuer or "an issuer of its own"
    yield f"reached {reached}, with a certificate of {signed}"
    yield (
        f"requests of {endpoint.max_body_mib} MiB at most, answers of {endpoint.timeout_seconds} s at most; "
        "the limit of requests is for each model by way of each proxy"
    )
    yield from _canaries(plan)
    if any(one.token_limits for one in endpoint.tenants):
        yield (
            "tokens of prompts and answers are counted for all models of a tenant and by all proxies; "
            "they are not while the store of counts does not answer"
        )
    for model, most in (each for one in endpoint.tenants for each in one.max_tokens):
        yield f"an answer of {model} has at most {most} tokens"
    for tenant in plan.tenants:
        if tenant.callers:
            yield f"models of {tenant.name} are also called from {', '.join(tenant.callers)}, without it"


def _canaries(plan: Plan) -> Iterator[str]:
    """What part of a model's calls its canary takes."""
    replicas = {one.name: one.replicas_max for one in plan.models}
    for one in plan.models:
        if one.canary_of is not None:
            yield (
                f"{one.name} takes {one.weight} % of the calls of {one.canary_of}; replicas: "
                f"{one.replicas_max} beside {replicas[one.canary_of]}"
            )
