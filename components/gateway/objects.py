"""Specs of the gateway's proxies, certificate and network, in the spelling of their types."""

from collections.abc import Mapping, Sequence
from typing import Any

from corral.catalogue.gateway import GATEWAY, PROXY, TLS_SECRET
from corral.catalogue.images import image
from corral.components._network import dns, egress, ingress, namespace_peer, pod_peer, policy, tcp
from corral.components._pods import restricted_container, restricted_pod
from corral.components.envoy_gateway import rate_limits
from corral.components.envoy_gateway.values import PODS, WASM_PORT, XDS_PORT
from corral.components.gateway.args import TokenIssuer
from corral.components.gateway.routes import LISTENER
from corral.components.keda import names as keda
from corral.components.supply import Supply, pod_settings, reference

PROXY_PODS = {"gateway.envoyproxy.io/owning-gateway-name": GATEWAY}
PROXY_METRICS_PORT = 19001
USER = 65532
PRIVILEGED, MOVED_BY = 1024, 10000
"""Ports below the first are listened at that much higher (`servicePortToContainerPort` of Envoy Gateway)."""


def proxies(*, replicas: int, load_balancer: Mapping[str, str] | None, supply: Supply) -> dict[str, Any]:
    """EnvoyProxy: restricted pods, by way of Services so that a model's own balancing holds."""
    service = {"type": "ClusterIP"} if load_balancer is None else {"type": "LoadBalancer"}
    return {
        "provider": {
            "type": "Kubernetes",
            "kubernetes": {
                "envoyDeployment": {
                    "name": PROXY,
                    "replicas": replicas,
                    "pod": {
                        "securityContext": restricted_pod(USER),
                        "topologySpreadConstraints": [_spread()],
                        **pod_settings(supply),
                    },
                    "container": {
                        "image": reference(image("envoy"), supply),
                        "resources": {
                            "requests": {"cpu": "100m", "memory": "512Mi"},
                            "limits": {"memory": "1Gi"},
                        },
                        "securityContext": {**restricted_container(), "runAsUser": USER, "runAsGroup": USER},
                    },
                },
                "envoyService": {
                    "name": PROXY,
                    **service,
                    **({"annotations": dict(load_balancer)} if load_balancer else {}),
                },
                **({"envoyPDB": {"minAvailable": 1}} if replicas > 1 else {}),
            },
        },
        "routingType": "Service",
    }


def _spread() -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": PROXY_PODS},
    }


def gateway(host: str, port: int) -> dict[str, Any]:
    """Gateway with one encrypted listener, which takes routes of its own namespace alone."""
    return {
        "gatewayClassName": GATEWAY,
        "infrastructure": {
            "parametersRef": {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": GATEWAY}
        },
        "listeners": [
            {
                "name": LISTENER,
                "protocol": "HTTPS",
                "port": port,
                "hostname": host,
                "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": TLS_SECRET}]},
                "allowedRoutes": {"namespaces": {"from": "Same"}},
            }
        ],
    }


def certificate(host: str, issuer: str | None) -> dict[str, Any]:
    """Certificate of the endpoint; `issuer` None: signed by the gateway's own."""
    own = {"name": PROXY, "kind": "Issuer"}
    return {
        "secretName": TLS_SECRET,
        "dnsNames": [host],
        "usages": ["server auth", "digital signature", "key encipherment"],
        "issuerRef": own if issuer is None else {"name": issuer, "kind": "ClusterIssuer"},
    }


def network(
    namespaces: Sequence[str],
    *,
    port: int,
    model_ports: Sequence[int],
    providers: Sequence[TokenIssuer],
    scraper: str,
    limited: bool,
    scaled: bool,
    dns_addresses: Sequence[str],
) -> dict[str, Any]:
    """NetworkPolicy of the proxies: in from anywhere, out to models, controller and providers of keys.

    `limited`: and to the rate limit service. `scaled`: and to KEDA's interceptors.
    """
    inside = port + MOVED_BY if port < PRIVILEGED else port
    known = [{"ipBlock": {"cidr": one}} for one in dict.fromkeys(one["network"] for one in providers)]
    return policy(
        pods=PROXY_PODS,
        ingress=[{"ports": tcp(inside)}, ingress([namespace_peer(scraper)], PROXY_METRICS_PORT)],
        egress=[
            dns(dns_addresses),
            egress([pod_peer(PODS)], XDS_PORT, WASM_PORT),
            *([egress([namespace_peer(one) for one in namespaces], *model_ports)] if namespaces else []),
            *([egress([namespace_peer(keda.NAMESPACE)], keda.PORT)] if scaled else []),
            *([egress(known)] if known else []),
            *([egress([pod_peer(rate_limits.PODS)], rate_limits.PORT)] if limited else []),
        ],
    )
