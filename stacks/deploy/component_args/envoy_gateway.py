"""Arguments of EnvoyGateway and Gateway."""

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager
from corral.components.envoy_gateway import EnvoyGateway, EnvoyGatewayArgs
from corral.components.gateway import Gateway, GatewayArgs, RoutedCanary, RoutedTenant, TokenIssuer
from corral.components.keda import Keda
from corral.components.rate_limit_store import RateLimitStore
from corral.components.tenancy import Tenancy
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.component_args.token_limits import PASSWORD
from corral.stacks.deploy.secrets import secret
from corral.stacks.deploy.wiring import FurtherWiring, Wiring
from corral.stacks.planning.results.gateway import CanaryRoute, TenantRoutes, TokenPlan


def envoy_gateway_args(context: DeployContext) -> EnvoyGatewayArgs:
    """Envoy Gateway as the plan has it."""
    types, _ = definition(Addon.GATEWAY_API)
    args: EnvoyGatewayArgs = {
        **context.installed(Addon.ENVOY_GATEWAY),
        "gateway_types": types,
        "scraper": context.scraper,
    }
    if context.capabilities.controller_replicas is not None:
        args["replicas"] = context.capabilities.controller_replicas
    store, secrets = context.built.get(RateLimitStore), context.secret_store
    if store is not None:
        addon = descriptor(Addon.TOKEN_LIMITS)
        args["rate_limits"] = {
            "store": store.address,
            "store_namespace": addon.namespace,
            "store_port": addon.ports["valkey"],
            **context.caches,
        }
        if secrets is None:
            args["rate_limits"]["password"] = secret(PASSWORD)
        else:
            args["rate_limits"]["secret_store"] = secrets
    return args


def gateway_args(context: DeployContext) -> GatewayArgs | None:
    """The endpoint of the plan; None: it has none."""
    plan = context.plan.gateway
    if plan is None:
        return None
    args: GatewayArgs = {
        "supply": context.supply,
        "host": plan.host,
        "port": plan.port,
        "tenants": [_tenant(context, one) for one in plan.tenants],
        "timeout_seconds": plan.timeout_seconds,
        "availability": plan.availability,
        "max_body_mib": plan.max_body_mib,
        "scraper": context.scraper,
        **context.caches,
        **context.watched(Addon.ENVOY_GATEWAY),
    }
    if plan.issuer is not None:
        args["issuer"] = plan.issuer
    if plan.load_balancer is not None:
        args["load_balancer"] = dict(plan.load_balancer)
    if plan.replicas is not None:
        args["replicas"] = plan.replicas
    secrets = context.secret_store
    if secrets is not None:
        args["secret_store"] = secrets
    controller, certificates = context.built.get(EnvoyGateway), context.built.get(CertManager)
    keda = context.built.get(Keda)
    if keda is not None:
        args["keda"] = keda.namespace
    if controller is not None:
        args["controller"] = controller.namespace
    if certificates is not None:
        args["cert_manager"] = certificates.namespace
    return args


def _tenant(context: DeployContext, routes: TenantRoutes) -> RoutedTenant:
    tenancy, canaries = context.built.get(Tenancy), routes.canaries
    tenant: RoutedTenant = {
        "name": routes.tenant,
        "namespace": routes.namespace if tenancy is None else tenancy.namespaces[routes.tenant],
        "models": list(routes.models),
        "requests_per_minute": routes.requests_per_minute,
        "services": {
            name: context.models[name].service for name in (*routes.models, *(one.canary for one in canaries))
        },
    }
    if routes.adapters:
        tenant["adapters"] = {one.name: one.model for one in routes.adapters}
    if routes.scaled:
        tenant["scaled"] = list(routes.scaled)
    if routes.llm_services:
        tenant["llm_services"] = list(routes.llm_services)
    if routes.disaggregated:
        tenant["disaggregated"] = list(routes.disaggregated)
    if canaries:
        tenant["canaries"] = [_canary(one) for one in canaries]
    if routes.tokens is not None:
        tenant["tokens"] = _tokens(routes.tokens)
    if routes.max_tokens:
        tenant["max_tokens"] = dict(routes.max_tokens)
    if routes.token_limits:
        tenant["token_limits"] = [{"tokens": one.tokens, "unit": one.unit} for one in routes.token_limits]
    return tenant


def _canary(route: CanaryRoute) -> RoutedCanary:
    return {"model": route.model, "name": route.canary, "weight": route.weight}


def _tokens(plan: TokenPlan) -> TokenIssuer:
    tokens: TokenIssuer = {
        "issuer": plan.issuer,
        "jwks": plan.jwks,
        "network": plan.network,
        "audiences": list(plan.audiences),
        "refresh_seconds": plan.refresh_seconds,
    }
    if plan.ca is not None:
        tokens["ca"] = plan.ca
    return tokens


WIRING = Wiring(EnvoyGateway, envoy_gateway_args)
NEEDED = (Addon.ENVOY_GATEWAY, Addon.CERT_MANAGER, Addon.ADMISSION)
FURTHER = [FurtherWiring(Gateway, gateway_args, name="gateway", after=NEEDED, calls_models=True)]
