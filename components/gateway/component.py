"""The endpoint through which applications call models: TLS, keys, limits, and a route per model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import descriptor
from corral.catalogue.gateway import (
    AVAILABILITY,
    GATEWAY,
    LEAST_AVAILABILITY,
    NO_CALLER,
    NO_KEY,
    PROXY,
    base_url,
    keys_secret,
    model_path,
    route_name,
    tenant_path,
)
from corral.catalogue.vocabulary import TENANT_LABEL, Addon
from corral.components import _secrets as secrets
from corral.components._kit import awaited, checked, child, labels, prerequisite, refuse, token
from corral.components._network import SCRAPER_NAMESPACE
from corral.components._signals import watch
from corral.components.envoy_gateway.values import CONTROLLER_NAME
from corral.components.gateway import answers, objects, routes, traffic
from corral.components.gateway.args import GatewayArgs, RoutedTenant, TokenIssuer
from corral.components.gateway.signals import SCRAPE, signals
from corral.components.keda import names as keda

COMPONENT = "gateway"
NAMESPACE = descriptor(Addon.ENVOY_GATEWAY).namespace
ENVOY = "gateway.envoyproxy.io/v1alpha1"
PROGRAMMED = {"pulumi.com/waitFor": "condition=Programmed"}
"""Of the Gateway: proxies are there and have its listener."""
UNKNOWN_MODEL = "unknown-model"


class Gateway(pulumi.ComponentResource):
    """An endpoint before the models of all tenants, on the cluster given as provider.

    Envoy Gateway and cert-manager must be there; with `monitors` the Prometheus operator's resource types,
    too. Keys are nothing of the program's: `corral keys make TENANT` writes them, and no update takes them.
    """

    url: pulumi.Output[str]
    """`https://HOST[:PORT]`, known once proxies answer there."""
    endpoints: pulumi.Output[dict[str, str]]
    """What a client takes as `base_url`, by tenant; the request names the model."""
    service: pulumi.Output[str]
    """The proxies' Service, `NAME.NAMESPACE.svc.cluster.local`."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, GatewayArgs, name)
        refuse(_problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        self._name, self._args = name, args
        self._space = args.get("namespace", NAMESPACE)
        host, port = args["host"], args.get("port", 443)
        before = [
            *prerequisite(self, name, Addon.ENVOY_GATEWAY, args.get("controller")),
            *prerequisite(self, name, Addon.CERT_MANAGER, args.get("cert_manager")),
        ]
        made = self._gateway(host, port, [*before, *self._interceptors(name)])
        for tenant in args["tenants"]:
            self._tenant(host, tenant, made)
        self._watched(before)
        self.url = made.urn.apply(lambda _: base_url(host, port, ""))
        paths = {one["name"]: base_url(host, port, tenant_path(one["name"])) for one in args["tenants"]}
        self.endpoints = made.urn.apply(lambda _: paths)
        self.service = made.urn.apply(lambda _: f"{PROXY}.{self._space}.svc.cluster.local")
        self.register_outputs({"url": self.url, "endpoints": self.endpoints, "service": self.service})

    def _gateway(self, host: str, port: int, before: Sequence[pulumi.Resource]) -> pulumi.Resource:
        args = self._args
        proxies = objects.proxies(
            replicas=args.get("replicas", 2), load_balancer=args.get("load_balancer"), supply=args["supply"]
        )
        needed = [
            self._object(
                "class", routes.ROUTES + "/v1", "GatewayClass", GATEWAY, _class(), before, space=None
            ),
            self._object("proxies", ENVOY, "EnvoyProxy", GATEWAY, proxies, before),
            self._network(),
        ]
        if "issuer" not in args:
            own: dict[str, Any] = {"selfSigned": {}}
            needed.append(self._object("issuer", "cert-manager.io/v1", "Issuer", PROXY, own, before))
        certificate = objects.certificate(host, args.get("issuer"))
        needed.append(
            self._object("certificate", "cert-manager.io/v1", "Certificate", PROXY, certificate, needed)
        )
        return self._object(
            "listener",
            routes.ROUTES + "/v1",
            "Gateway",
            GATEWAY,
            objects.gateway(host, port),
            [*needed, *self._policies(before)],
            annotations=PROGRAMMED,
        )

    def _interceptors(self, name: str) -> list[pulumi.Resource]:
        """What routes of scaled models need: KEDA's interceptors, and that they may be led to."""
        if not any(one.get("scaled") for one in self._args["tenants"]):
            return []
        there = prerequisite(self, name, Addon.KEDA, self._args.get("keda"))
        spec = routes.grant(self._space)
        version = routes.ROUTES + "/v1"
        return [self._object("grant", version, "ReferenceGrant", PROXY, spec, there, space=keda.NAMESPACE)]

    def _policies(self, before: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """What holds for every route; policies are there before what they guard."""
        timeout = self._args.get("timeout_seconds", 600)
        unknown = routes.direct(404, answers.UNKNOWN_MODEL)
        return [
            self._object("clients", ENVOY, "ClientTrafficPolicy", GATEWAY, traffic.clients(timeout), before),
            self._object("refused", ENVOY, "SecurityPolicy", GATEWAY, traffic.refused(), before),
            self._object(UNKNOWN_MODEL, ENVOY, "HTTPRouteFilter", UNKNOWN_MODEL, unknown, before),
        ]

    def _tenant(self, host: str, tenant: RoutedTenant, gateway: pulumi.Resource) -> None:
        name, timeout = tenant["name"], self._args.get("timeout_seconds", 600)
        tokens = tenant.get("tokens")
        proof = [self._keys(name)] if tokens is None else self._identities(name, tokens)
        limits = traffic.limits(tenant, timeout=timeout, max_body_mib=self._args.get("max_body_mib", 10))
        listing, listed = f"{name}-models", routes.direct(200, answers.models(name, routes.names(tenant)))
        guards = [
            self._object(
                f"{name}-callers", ENVOY, "SecurityPolicy", name, traffic.callers(name, tokens), proof
            ),
            self._object(f"{name}-limits", ENVOY, "BackendTrafficPolicy", name, limits),
            self._object(f"{name}-by-name", ENVOY, "EnvoyExtensionPolicy", name, traffic.by_name(tenant)),
            *self._answered(tenant),
            self._object(listing, ENVOY, "HTTPRouteFilter", listing, listed),
            self._object(
                f"{name}-grant",
                routes.ROUTES + "/v1",
                "ReferenceGrant",
                PROXY,
                routes.grant(self._space),
                space=tenant["namespace"],
            ),
        ]
        before = [gateway, *guards]
        listed_or_unknown = routes.tenant_route(host, name, listing=listing, unknown=UNKNOWN_MODEL)
        self._route(name, name, listed_or_unknown, before)
        for model in routes.names(tenant):
            spec = routes.model_route(host, tenant, model, timeout=timeout)
            self._route(name, route_name(name, model), spec, [*before, *_ready(tenant, model)])

    def _route(
        self, tenant: str, route: str, spec: Mapping[str, Any], before: Sequence[pulumi.Resource]
    ) -> None:
        self._object(
            f"{route}-route",
            routes.ROUTES + "/v1",
            "HTTPRoute",
            route,
            spec,
            before,
            more_labels={TENANT_LABEL: tenant, **({} if route == tenant else routes.TO_A_MODEL)},
        )

    def _answered(self, tenant: RoutedTenant) -> list[pulumi.Resource]:
        """What reads answers on the paths of a tenant's models; empty: it has none, or Envoy Gateway is
        somebody else's, who may have left Lua off."""
        own = "controller" in self._args or tenant.get("token_limits")
        if not own or not tenant["models"]:
            return []
        name = f"{tenant['name']}.answers"
        return [
            self._object(
                f"{tenant['name']}-answers", ENVOY, "EnvoyExtensionPolicy", name, traffic.answered(tenant)
            )
        ]

    def _keys(self, tenant: str) -> pulumi.Resource:
        """The Secret of a tenant's keys: a server-side apply owns this one entry, and leaves the others.

        With a store it is the operator's: keys of callers that are gone from the store are gone here.
        """
        store = self._args.get("secret_store")
        if store is not None:
            return self._object(
                f"{tenant}-keys",
                secrets.API_VERSION,
                "ExternalSecret",
                keys_secret(tenant),
                secrets.external_spec(
                    store,
                    template={
                        "data": {NO_CALLER: NO_KEY},
                        "mergePolicy": "Merge",
                        "metadata": {"labels": {**labels(COMPONENT, self._name), TENANT_LABEL: tenant}},
                    },
                    dataFrom=[{"extract": {"key": store.get("prefix", "") + keys_secret(tenant)}}],
                ),
                more_labels={TENANT_LABEL: tenant},
                annotations=secrets.READY,
            )
        return kubernetes.core.v1.Secret(
            f"{self._name}-{tenant}-keys",
            type="Opaque",
            metadata={
                "name": keys_secret(tenant),
                "namespace": self._space,
                "labels": {**labels(COMPONENT, self._name), TENANT_LABEL: tenant},
            },
            string_data={NO_CALLER: NO_KEY},
            opts=child(self),
        )

    def _identities(self, tenant: str, tokens: TokenIssuer) -> list[pulumi.Resource]:
        """Where the keys of a tenant's identity provider are, and the authorities that it is known by."""
        name, authorities = traffic.provider_name(tenant), list[pulumi.Resource]()
        if "ca" in tokens:
            authorities.append(
                kubernetes.core.v1.ConfigMap(
                    f"{self._name}-{name}",
                    metadata={
                        "name": name,
                        "namespace": self._space,
                        "labels": {**labels(COMPONENT, self._name), TENANT_LABEL: tenant},
                    },
                    data={"ca.crt": tokens["ca"]},
                    opts=child(self),
                )
            )
        return [self._object(name, ENVOY, "Backend", name, traffic.provider(tenant, tokens), authorities)]

    def _network(self) -> pulumi.Resource:
        tenants = self._args["tenants"]
        given = pulumi.Output.all(*[one["namespace"] for one in tenants])
        spec = given.apply(
            lambda spaces: objects.network(
                [str(one) for one in spaces],
                port=self._args.get("port", 443),
                model_ports=routes.model_ports(tenants),
                providers=[one["tokens"] for one in tenants if "tokens" in one],
                scraper=self._args.get("scraper", SCRAPER_NAMESPACE),
                limited=any(one.get("token_limits") for one in tenants),
                scaled=any(one.get("scaled") for one in tenants),
                dns_addresses=self._args.get("dns_addresses", []),
            )
        )
        return kubernetes.networking.v1.NetworkPolicy(
            f"{self._name}-network",
            metadata={
                "name": PROXY,
                "namespace": self._space,
                "labels": labels(COMPONENT, self._name),
            },
            spec=cast(Any, spec),
            opts=child(self),
        )

    def _watched(self, before: Sequence[pulumi.Resource]) -> None:
        watch(
            self,
            self._name,
            lambda space: signals(space, self._args.get("availability", AVAILABILITY)),
            namespace=self._space,
            component=COMPONENT,
            args=self._args,
            scrape=SCRAPE,
            depends_on=before,
        )

    def _object(
        self,
        logical: str,
        api_version: str,
        kind: str,
        name: str,
        spec: Mapping[str, Any],
        before: Sequence[pulumi.Resource] = (),
        *,
        space: pulumi.Input[str] | None = "",
        more_labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> pulumi.Resource:
        """An object of a type that a CRD defines; `space` empty: the gateway's namespace, None: in none."""
        place = {} if space is None else {"namespace": self._space if space == "" else space}
        return kubernetes.apiextensions.CustomResource(
            f"{self._name}-{logical}",
            api_version=api_version,
            kind=kind,
            metadata={
                "name": name,
                **place,
                "labels": {**labels(COMPONENT, self._name), **(more_labels or {})},
                **({"annotations": dict(annotations)} if annotations else {}),
            },
            spec=dict(spec),
            opts=child(self, depends_on=list(before)),
        )


def _ready(tenant: RoutedTenant, model: str) -> list[pulumi.Resource]:
    """What the route of `model` waits for."""
    services = tenant.get("services", {})
    base = routes.served_by(tenant, model)
    known = [services[name] for name in routes.routed(tenant, base) if name in services]
    return [one for service in known for one in awaited(service)]


def _class() -> dict[str, Any]:
    return {"controllerName": CONTROLLER_NAME}


def _problems(name: str, args: GatewayArgs) -> Iterator[str]:
    """An objective that is none, two routes of one path, tokens that would open the models of two tenants."""
    availability = args.get("availability", AVAILABILITY)
    if not LEAST_AVAILABILITY <= availability < 100:
        allowed = f"use {LEAST_AVAILABILITY} or more, below 100"
        yield f"{name}.availability: {availability:g} is not allowed; {allowed}"
    paths: dict[str, str] = {}
    taken = {one["name"]: model_path(one["name"], "") for one in args["tenants"]}
    audiences: dict[tuple[str, str], str] = {}
    for tenant in args["tenants"]:
        for model in routes.names(tenant):
            path = model_path(tenant["name"], model)
            if path in paths:
                yield f"{name}: path {path} leads to two models; a tenant's models have a name each"
            elif taken.setdefault(route_name(tenant["name"], model), path) != path:
                other = taken[route_name(tenant["name"], model)]
                yield f"{name}: paths {other} and {path} have one route; rename what has -- in its name"
            paths[path] = model
        yield from _canaries(name, tenant)
        for adapter, model in tenant.get("adapters", {}).items():
            if model not in tenant["models"]:
                known = ", ".join(tenant["models"])
                where = f"{name}: adapter {adapter!r} of {tenant['name']}"
                yield f"{where}: {model!r} is none of its models, {known}"
        tokens = tenant.get("tokens")
        for audience in () if tokens is None else tokens["audiences"]:
            issued = (tokens["issuer"], audience) if tokens else ("", "")
            other = audiences.setdefault(issued, tenant["name"])
            if other != tenant["name"]:
                yield (
                    f"{name}: audience {audience!r} of {issued[0]} opens the models of {other} and "
                    f"{tenant['name']}; use one audience for each"
                )


def _canaries(name: str, tenant: RoutedTenant) -> Iterator[str]:
    """Canaries of no model, of one that has one already, or with more than all calls."""
    seen: set[str] = set()
    for one in tenant.get("canaries", []):
        where = f"{name}: canary {one['name']!r} of {tenant['name']}"
        if one["model"] not in tenant["models"]:
            yield f"{where}: {one['model']!r} is none of its models, {', '.join(tenant['models'])}"
        if one["model"] in seen:
            yield f"{where}: model {one['model']!r} has one already"
        seen.add(one["model"])
