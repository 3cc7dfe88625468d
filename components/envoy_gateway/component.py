"""Envoy Gateway's controller and its resource types."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, child, existing_api, install, labels, prerequisite, token
from corral.components._namespaces import namespace_of
from corral.components._network import SAME_NAMESPACE, SCRAPER_NAMESPACE, ingress, namespace_peer, policy
from corral.components.envoy_gateway.values import (
    METRICS_PORT,
    PODS,
    WASM_PORT,
    XDS_PORT,
    envoy_gateway_crd_values,
    envoy_gateway_values,
)
from corral.components.supply import Supply

COMPONENT = "envoy-gateway"
NAMESPACE = descriptor(Addon.ENVOY_GATEWAY).namespace
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
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    existing: NotRequired[bool]
    """True: Envoy Gateway is there; its resource types are checked and nothing is installed. Routing by the
    model that a request names needs `extensionApis.enableLua` in its configuration."""
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
        controller = install(
            self,
            f"{name}-chart",
            chart("gateway-helm"),
            envoy_gateway_values(replicas=args.get("replicas", 2), supply=supply),
            namespace=namespace,
            supply=supply,
            depends_on=[types, *known],
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-network",
            metadata={"name": COMPONENT, "namespace": namespace, "labels": labels(COMPONENT, name)},
            spec=cast(Any, reached(args.get("scraper", SCRAPER_NAMESPACE))),
            opts=child(self),
        )
        return pulumi.Output.all(namespace, controller.urn).apply(lambda known: str(known[0]))


def reached(scraper: str) -> dict[str, Any]:
    """Who reaches the controller: proxies of its namespace, and the scraper."""
    return policy(
        pods=PODS,
        ingress=[
            ingress([SAME_NAMESPACE], XDS_PORT, WASM_PORT),
            ingress([namespace_peer(scraper)], METRICS_PORT),
        ],
    )
