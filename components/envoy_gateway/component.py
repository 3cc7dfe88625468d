"""Envoy Gateway's controller and its resource types."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, child, existing_api, install, labels, prerequisite, refuse, token
from corral.components._namespaces import namespace_of
from corral.components._network import SAME_NAMESPACE, SCRAPER_NAMESPACE, ingress, namespace_peer, policy
from corral.components._secrets import either, secret_object
from corral.components.envoy_gateway import rate_limits
from corral.components.envoy_gateway.rate_limits import RateLimits
from corral.components.envoy_gateway.values import (
    METRICS_PORT,
    NAMESPACE,
    PODS,
    WASM_PORT,
    XDS_PORT,
    envoy_gateway_crd_values,
    envoy_gateway_values,
)
from corral.components.rate_limit_store.pod import PASSWORD
from corral.components.supply import Supply

COMPONENT = "envoy-gateway"
PROXY_TYPES = definition(Addon.ENVOY_GATEWAY)


class EnvoyGatewayArgs(TypedDict):
    """What Envoy Gateway needs to know."""

    supply: Supply
    """Where charts and images come from."""
    gateway_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `gateway-api`, where this program makes them; they must be there already
    when omitted."""
    replicas: NotRequired[int]
    """Controllers, 2 when omitted; proxies go on with what they know while none answers."""
    rate_limits: NotRequired[RateLimits]
    """Limits that all proxies share, by a rate limit service with this store; none when omitted."""
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    existing: NotRequired[bool]
    """True: Envoy Gateway is there; its resource types are checked and nothing is installed. Routing by the
    model that a request names needs `extensionApis.enableLua` in its configuration, tokens of an identity
    provider need `enableBackend`."""
    namespace: NotRequired[str]
    """Where it and its proxies run; `envoy-gateway-system` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class EnvoyGateway(pulumi.ComponentResource):
    """The controller of gateways on the cluster given as provider.

    The resource types of the Gateway API must be there, as component Crds makes them.
    """

    namespace: pulumi.Output[str]
    """Where the controller and its proxies run, known once the controller is ready."""

    def __init__(self, name: str, args: EnvoyGatewayArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, EnvoyGatewayArgs, name)
        if "rate_limits" in args:
            refuse(either(f"{name}.rate_limits", args["rate_limits"], "password"))
        super().__init__(token(type(self)), name, {}, opts)
        space = args.get("namespace", NAMESPACE)
        if args.get("existing", False):
            existing_api(self, f"{name}-proxies", *PROXY_TYPES)
            self.namespace = pulumi.Output.from_input(space)
        else:
            self.namespace = self._installed(name, args, space)
        self.register_outputs({"namespace": self.namespace})

    def _installed(self, name: str, args: EnvoyGatewayArgs, space: str) -> pulumi.Output[str]:
        supply = args["supply"]
        namespace = namespace_of(self, name, space, args, component=COMPONENT)
        types = install(
            self,
            f"{name}-crds",
            chart("gateway-crds-helm"),
            envoy_gateway_crd_values(),
            namespace=namespace,
            supply=supply,
        )
        known = prerequisite(self, name, Addon.GATEWAY_API, args.get("gateway_types"))
        limits, scraper = args.get("rate_limits"), args.get("scraper", SCRAPER_NAMESPACE)
        if limits is not None:
            known = [*known, *self._rate_limits(name, limits, namespace, scraper)]
        controller = install(
            self,
            f"{name}-chart",
            chart("gateway-helm"),
            envoy_gateway_values(
                replicas=args.get("replicas", 2), supply=supply, rate_limits=limits, namespace=space
            ),
            namespace=namespace,
            supply=supply,
            depends_on=[types, *known],
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-network",
            metadata={"name": COMPONENT, "namespace": namespace, "labels": labels(COMPONENT, name)},
            spec=cast(Any, reached(scraper, limited=limits is not None)),
            opts=child(self),
        )
        return pulumi.Output.all(namespace, controller.urn).apply(lambda known: str(known[0]))

    def _rate_limits(
        self, name: str, limits: RateLimits, namespace: pulumi.Output[str], scraper: str
    ) -> list[pulumi.Resource]:
        """The store's password and a closed network, for the service that the controller makes."""

        def meta(called: str) -> Any:
            return {"name": called, "namespace": namespace, "labels": labels(COMPONENT, name)}

        return [
            secret_object(
                self,
                f"{name}-rate-limit-store",
                meta(rate_limits.CREDENTIAL),
                values={"password": limits.get("password")},
                keys={"password": PASSWORD},
                store=limits.get("secret_store"),
                texts=lambda known: {rate_limits.LOGIN: rate_limits.login(known["password"])},
            ),
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-rate-limit-network",
                metadata=meta("envoy-ratelimit"),
                spec=cast(Any, rate_limits.network(limits, PODS, scraper)),
                opts=child(self),
            ),
        ]


def reached(scraper: str, *, limited: bool) -> dict[str, Any]:
    """Who reaches the controller: proxies and the rate limit service of its namespace, and the scraper."""
    served = [XDS_PORT, WASM_PORT, *([rate_limits.XDS_PORT] if limited else [])]
    return policy(
        pods=PODS,
        ingress=[
            ingress([SAME_NAMESPACE], *served),
            ingress([namespace_peer(scraper)], METRICS_PORT),
        ],
    )
