"""Section `gateway` and key `tenants[].callers`: who may call models, and from where."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import pairwise
from urllib.parse import urlsplit

from corral.catalogue.gateway import PROXY_PORTS, route_name
from corral.catalogue.vocabulary import Addon, AddonState, Profile, TokenUnit
from corral.controls.network.net_07 import INTERNAL
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.stack_config import Gateway, Jwt, StackConfig
from corral.stacks.planning.defaults import namespaces
from corral.stacks.planning.gateway import token_limits
from corral.stacks.planning.results.addons import AddonStates

TOKEN_KEYS = {
    TokenUnit.MINUTE: "tokens-per-minute",
    TokenUnit.DAY: "tokens-per-day",
    TokenUnit.MONTH: "tokens-per-month",
}
ONE_SITE = 24
"""Shortest prefix of a public network that is one provider's of identities."""


def check_gateway(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Tenants that are none, tokens that open too much, and an endpoint that the profile rules out."""
    yield from _callers(config, states)
    yield from _token_limits(config, states)
    section = config.gateway
    if section is None:
        if config.addons.get(Addon.ENVOY_GATEWAY) is AddonState.EXISTING:
            yield Problem("addons.envoy-gateway", "existing", "the section gateway is missing")
        return
    if states[Addon.ENVOY_GATEWAY] is AddonState.OFF:
        yield Problem("addons.envoy-gateway", "off", "the section gateway needs it: use managed or existing")
    if section.port in PROXY_PORTS:
        reason = f"the proxies use {', '.join(map(str, PROXY_PORTS))} themselves: use another"
        yield Problem("gateway.port", str(section.port), reason)
    yield from _balancer(section, config.sovereignty.profile)
    yield from _routes(config)
    known = namespaces(config.tenants)
    audiences: dict[tuple[str, str], str] = {}
    for name, own in section.tenants.items():
        path = f"gateway.tenants.{name}"
        if name not in known:
            yield Problem(path, name, one_of(name, known))
        if own.jwt is not None:
            yield from _network(own.jwt, f"{path}.jwt", config.sovereignty.profile)
            yield from _host(own.jwt, f"{path}.jwt.jwks")
            for index, audience in enumerate(own.jwt.audiences):
                other = audiences.setdefault((own.jwt.issuer, audience), name)
                if other != name:
                    reason = f"tokens for it open the models of tenant {other}: use an audience of its own"
                    yield Problem(f"{path}.jwt.audiences[{index}]", audience, reason)


def _token_limits(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Limits by tokens that nothing enforces, of nobody, or of which a longer window's is no greater."""
    section, addon = config.token_limits, "addons.token-limits"
    state = states[Addon.TOKEN_LIMITS]
    if section is None:
        if state is AddonState.EXISTING:
            yield Problem(addon, state.value, "the section token-limits is missing")
        return
    if state is not AddonState.MANAGED:
        yield Problem(addon, state.value, "the section token-limits needs a store of its own: use managed")
    if config.gateway is None:
        yield Problem("token-limits", "…", "limits calls of the gateway: the section gateway is missing")
    if states[Addon.ENVOY_GATEWAY] is AddonState.EXISTING:
        reason = "token-limits changes its configuration, which is somebody else's: use managed"
        yield Problem("addons.envoy-gateway", "existing", reason)
    known = namespaces(config.tenants)
    for name in section.tenants:
        if name not in known:
            yield Problem(f"token-limits.tenants.{name}", name, one_of(name, known))
    limits = {name: token_limits(section, name) for name in known}
    if not any(limits.values()):
        keys = ", ".join(TOKEN_KEYS.values())
        yield Problem("token-limits", "{}", f"no tenant has a limit: say one of {keys}")
    for name, every in limits.items():
        for longer, shorter in pairwise(every):
            if longer.tokens <= shorter.tokens:
                own = name in section.tenants
                path = f"token-limits.tenants.{name}" if own else "token-limits"
                reason = f"must be greater than {TOKEN_KEYS[shorter.unit]}, which is {shorter.tokens}"
                yield Problem(f"{path}.{TOKEN_KEYS[longer.unit]}", str(longer.tokens), reason)
                if not own:
                    return


def _routes(config: StackConfig) -> Iterator[Problem]:
    """Models whose route would have the name of another's, or of a tenant's."""
    names = [tenant.name for tenant in config.tenants]
    known = {name: f"of tenant {name}" for name in names}
    for served in config.served_models:
        tenant, adapters = served.section.tenant or next(iter(names), ""), served.section.adapters
        paths = [(one.name, f"{served.path}.adapters[{index}].name") for index, one in enumerate(adapters)]
        for name, path in ((served.section.name, f"{served.path}.name"), *paths):
            route = route_name(tenant, name)
            other = known.setdefault(route, f"to model {name} of {tenant}")
            if other != f"to model {name} of {tenant}":
                reason = f"its route {route} is the one {other}, too: use another name, without --"
                yield Problem(path, name, reason)


def _balancer(section: Gateway, profile: Profile) -> Iterator[Problem]:
    annotations = section.load_balancer
    if annotations is None or profile is Profile.OPEN:
        return
    if not any(annotations.get(key) == value for key, value in INTERNAL.items()):
        key, value = next(iter(INTERNAL.items()))
        reason = (
            f"profile {profile.value} has no load balancer with a public address: say that it is internal, "
            f'such as {{{key}: "{value}"}}'
        )
        yield Problem("gateway.load-balancer", ", ".join(annotations) or "{}", reason)


def _network(jwt: Jwt, path: str, profile: Profile) -> Iterator[Problem]:
    network = IPv4Network(jwt.network)
    if network.is_private or profile is Profile.OPEN:
        return
    if profile is Profile.AIR_GAPPED:
        reason = "a public network, to which profile air-gapped has no way: use a provider of your own"
        yield Problem(f"{path}.network", jwt.network, reason)
    elif network.prefixlen < ONE_SITE:
        reason = f"more public addresses than one provider has: use /{ONE_SITE} or narrower"
        yield Problem(f"{path}.network", jwt.network, reason)


def _host(jwt: Jwt, path: str) -> Iterator[Problem]:
    """A host of keys that its certificate cannot name: Envoy Gateway takes a name with a domain alone."""
    last = (urlsplit(jwt.jwks).hostname or "").rpartition(".")
    if not last[0] or last[2].isdigit():
        reason = "its certificate is checked for the host's name: use a name with its domain"
        yield Problem(path, jwt.jwks, reason)


def _callers(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    for index, tenant in enumerate(config.tenants):
        path = f"tenants[{index}].callers"
        if tenant.callers and states[Addon.TENANCY] is not AddonState.MANAGED:
            reason = f"addon tenancy is {states[Addon.TENANCY].value}, so its rules are somebody else's"
            yield Problem(path, ", ".join(tenant.callers), reason)
        for place, space in enumerate(tenant.callers):
            if space == (tenant.namespace or tenant.name):
                yield Problem(f"{path}[{place}]", space, "its own namespace, whose pods may call it anyway")
