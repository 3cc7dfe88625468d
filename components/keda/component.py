"""KEDA with its HTTP add-on: counts the requests of models, and holds those that nothing can answer yet."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, child, existing_api, install, labels, token
from corral.components._namespaces import namespace_of
from corral.components._network import SCRAPER_NAMESPACE, ingress, namespace_peer, pod_peer, policy
from corral.components._signals import watch
from corral.components.keda.names import NAMESPACE, PORT, SCALER_PORT
from corral.components.keda.signals import SCRAPE, signals
from corral.components.keda.values import INTERCEPTOR_LABELS, SCALER_LABELS, http_values, keda_values
from corral.components.supply import Supply

COMPONENT = "keda"
SCALED_OBJECTS = definition(Addon.KEDA)
GATEWAY = descriptor(Addon.ENVOY_GATEWAY).namespace
ADMIN_PORT = 9090
METRICS_PORT = 2223


class KedaArgs(TypedDict):
    """What KEDA needs to know."""

    supply: Supply
    """Where charts and images come from."""
    gateway: NotRequired[str]
    """Namespace of the gateway's proxies, which alone call models; `envoy-gateway-system` when omitted."""
    replicas: NotRequired[int]
    """Pods of each of its programs; 2 when omitted."""
    drain_seconds: NotRequired[int]
    """Longest answer that an interceptor waits for before it ends; 600 when omitted."""
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    existing: NotRequired[bool]
    """True: KEDA and its HTTP add-on are there; their resource types are checked and nothing is installed."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class Keda(pulumi.ComponentResource):
    """KEDA and its HTTP add-on on the cluster given as provider.

    Who reaches an interceptor calls any scaled model, so that a NetworkPolicy keeps everybody but the gateway
    from it; keys and limits are the gateway's.
    """

    namespace: pulumi.Output[str]
    """Where it runs, known once models can be scaled."""

    def __init__(self, name: str, args: KedaArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, KedaArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        if args.get("existing", False):
            types = [
                existing_api(self, f"{name}-scaled-objects", *SCALED_OBJECTS),
                existing_api(self, f"{name}-routes", "interceptorroutes.http.keda.sh", "v1beta1"),
            ]
            self.namespace = pulumi.Output.all(*[one.urn for one in types]).apply(lambda _: NAMESPACE)
        else:
            self.namespace = self._installed(name, args)
        self.register_outputs({"namespace": self.namespace})

    def _installed(self, name: str, args: KedaArgs) -> pulumi.Output[str]:
        supply, replicas = args["supply"], args.get("replicas", 2)
        namespace = namespace_of(self, name, NAMESPACE, args, component=COMPONENT)
        rules = network(args.get("gateway", GATEWAY), args.get("scraper", SCRAPER_NAMESPACE))
        for rule, spec in rules.items():
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-network-{rule}",
                metadata={
                    "name": f"corral-{rule}",
                    "namespace": namespace,
                    "labels": labels(COMPONENT, name),
                },
                spec=cast(Any, spec),
                opts=child(self),
            )
        operator = install(
            self,
            f"{name}-chart",
            chart("keda"),
            keda_values(replicas=replicas, supply=supply),
            namespace=namespace,
            supply=supply,
        )
        add_on = install(
            self,
            f"{name}-http",
            chart("keda-add-ons-http"),
            http_values(replicas=replicas, drain_seconds=args.get("drain_seconds", 600), supply=supply),
            namespace=namespace,
            supply=supply,
            depends_on=[operator],
        )
        watch(self, name, signals, namespace=namespace, component=COMPONENT, args=args, scrape=SCRAPE)
        return pulumi.Output.all(namespace, add_on.urn).apply(lambda known: str(known[0]))


def network(gateway: str, scraper: str) -> dict[str, dict[str, Any]]:
    """Who reaches the pods that pass calls on, and those that say how many there are."""
    return {
        "interceptors": policy(
            pods=INTERCEPTOR_LABELS,
            ingress=[
                ingress([namespace_peer(gateway)], PORT),
                ingress([pod_peer(SCALER_LABELS)], ADMIN_PORT),
                ingress([namespace_peer(scraper)], METRICS_PORT),
            ],
        ),
        "scaler": policy(
            pods=SCALER_LABELS,
            ingress=[
                ingress([pod_peer({"app": "keda-operator"})], SCALER_PORT),
                ingress([namespace_peer(scraper)], METRICS_PORT),
            ],
        ),
    }
