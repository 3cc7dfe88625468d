"""Specs of the gateway's objects, in the spelling of their types."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from corral.catalogue.gateway import (
    CONNECTION_SECONDS,
    GATEWAY,
    PROXY,
    TLS_SECRET,
    keys_secret,
    model_path,
    tenant_path,
)
from corral.catalogue.images import image
from corral.catalogue.serving_kinds import PORTS, served_names
from corral.catalogue.vocabulary import TENANT_LABEL, ServingKind, TokenUnit
from corral.components._network import dns, egress, ingress, namespace_peer, pod_peer, policy, tcp
from corral.components._pods import restricted_container, restricted_pod
from corral.components.envoy_gateway import rate_limits
from corral.components.envoy_gateway.values import PODS, WASM_PORT, XDS_PORT
from corral.components.gateway import answers, script
from corral.components.gateway.args import RoutedTenant, TokenIssuer, TokenLimit
from corral.components.gateway.headers import headers
from corral.components.keda import names as keda
from corral.components.supply import Supply, pod_settings, reference

ROUTES = "gateway.networking.k8s.io"
PROXY_PODS = {"gateway.envoyproxy.io/owning-gateway-name": GATEWAY}
PROXY_METRICS_PORT = 19001
LISTENER = "https"
HTTPS_PORT = 443
USER = 65532
PRIVILEGED, MOVED_BY = 1024, 10000
"""Ports below the first are listened at that much higher (`servicePortToContainerPort` of Envoy Gateway)."""
MOST_WEIGHT = 100
RETRIES = 4
RETRIED = ["connect-failure", "refused-stream", "reset", "retriable-status-codes"]
"""Ends of a call, before a word of the answer, after which another server is asked."""
RETRIED_CODES = [502]
"""Answer of KEDA's interceptors in the place of a server that ended; no model's server has it."""
FIRST_RETRY, LAST_RETRY = "250ms", "2s"
"""Most that is waited before the first retry and before the last: all of them outlast the time, about two
seconds, in which a Service still leads to a replica that has just died."""
TO_A_MODEL = {"corral.dev/leads-to": "model"}
"""Label of the routes by the paths of models."""
CALLER_HEADER = "x-corral-caller"
"""Tells a model who calls, by the name that the key has."""


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


def of_gateway() -> dict[str, Any]:
    """What a policy for the whole Gateway is about."""
    return {"targetRefs": [{"group": ROUTES, "kind": "Gateway", "name": GATEWAY}]}


def of_tenant(tenant: str) -> dict[str, Any]:
    """What a policy for all routes of a tenant is about."""
    return {
        "targetSelectors": [{"group": ROUTES, "kind": "HTTPRoute", "matchLabels": {TENANT_LABEL: tenant}}]
    }


def clients(timeout: int) -> dict[str, Any]:
    """ClientTrafficPolicy: no old TLS, and as much patience as an answer may need."""
    return {
        **of_gateway(),
        "tls": {"minVersion": "1.2"},
        # Only the gateway itself says who calls.
        "headers": {"earlyRequestHeaders": {"remove": [CALLER_HEADER]}},
        "timeout": {"http": {"streamIdleTimeout": f"{timeout}s"}},
    }


def refused() -> dict[str, Any]:
    """SecurityPolicy of routes that have none of their own: nobody may call them."""
    return {**of_gateway(), "authorization": {"defaultAction": "Deny"}}


def callers(tenant: str, tokens: TokenIssuer | None) -> dict[str, Any]:
    """SecurityPolicy: who may call the models of a tenant."""
    if tokens is None:
        return {
            **of_tenant(tenant),
            "apiKeyAuth": {
                "credentialRefs": [{"kind": "Secret", "name": keys_secret(tenant)}],
                # Envoy takes the key behind `Bearer `.
                "extractFrom": [{"headers": ["Authorization"]}],
                "forwardClientIDHeader": CALLER_HEADER,
                "sanitize": True,
            },
        }
    provider = {
        "name": tenant,
        "issuer": tokens["issuer"],
        "audiences": list(tokens["audiences"]),
        "remoteJWKS": {
            "uri": tokens["jwks"],
            "cacheDuration": f"{tokens.get('refresh_seconds', 300)}s",
            "backendRefs": [
                {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": provider_name(tenant)}
            ],
        },
        "extractFrom": {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]},
    }
    return {**of_tenant(tenant), "jwt": {"providers": [provider]}}


def provider_name(tenant: str) -> str:
    """Name of the Backend of a tenant's identity provider, and of the ConfigMap with its authorities."""
    return f"{tenant}-provider"


def provider(tenant: str, tokens: TokenIssuer) -> dict[str, Any]:
    """Backend: the host of a provider's keys, whose certificate must bear its name.

    Without it Envoy Gateway takes any certificate of an authority that the image trusts.
    """
    url = urlsplit(tokens["jwks"])
    authorities: dict[str, Any] = {"wellKnownCACertificates": "System"}
    if "ca" in tokens:
        authorities = {
            "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": provider_name(tenant)}]
        }
    return {
        "endpoints": [{"fqdn": {"hostname": url.hostname, "port": url.port or HTTPS_PORT}}],
        "tls": {**authorities, "sni": url.hostname},
    }


def limits(tenant: RoutedTenant, *, timeout: int, max_body_mib: int) -> dict[str, Any]:
    """BackendTrafficPolicy: what a tenant may ask of one model."""
    rate, tokens = tenant["requests_per_minute"], tenant.get("token_limits", [])
    requests: dict[str, Any] = {"limit": {"requests": rate, "unit": "Minute"}}
    if tokens:
        # The headers then are those of the tokens alone.
        requests["xRateLimitHeaders"] = "Off"
    return {
        **of_tenant(tenant["name"]),
        "rateLimit": {
            "local": {"rules": [requests]},
            **({"global": {"rules": [_token_rule(one) for one in tokens]}} if tokens else {}),
        },
        # Of the request alone: an answer is streamed as it comes.
        "requestBuffer": {"limit": f"{max_body_mib}Mi"},
        "timeout": {
            "http": {
                "streamIdleTimeout": f"{timeout}s",
                # An answer that lasts longer is not cut.
                "maxConnectionDuration": f"{CONNECTION_SECONDS}s",
            }
        },
        "retry": retries(),
        "responseOverride": answers.overrides(
            requests_per_minute=rate, max_body_mib=max_body_mib, token_limits=tokens
        ),
    }


def retries() -> dict[str, Any]:
    """What happens to a call whose server ends: a completion changes nothing, so another may do it again."""
    return {
        "numRetries": RETRIES,
        "retryOn": {"triggers": RETRIED, "httpStatusCodes": RETRIED_CODES},
        "perRetry": {"backOff": {"baseInterval": FIRST_RETRY, "maxInterval": LAST_RETRY}},
    }


def _token_rule(limit: TokenLimit) -> dict[str, Any]:
    """One count for all routes of a tenant: calls are let in while it lasts, and add what they have used."""
    used = {"namespace": script.METADATA, "key": script.USED}
    return {
        "limit": {"requests": limit["tokens"], "unit": TokenUnit(limit["unit"]).value},
        "shared": True,
        "cost": {
            "request": {"from": "Number", "number": 0},
            "response": {"from": "Metadata", "metadata": used},
        },
    }


def by_name(tenant: RoutedTenant) -> dict[str, Any]:
    """EnvoyExtensionPolicy that leads a request to the model that it names, and counts tokens if limited."""
    code = _script(tenant, routing=True)
    return {
        "targetRefs": [{"group": ROUTES, "kind": "HTTPRoute", "name": tenant["name"]}],
        "lua": [{"type": "Inline", "inline": code}],
    }


def answered(tenant: RoutedTenant) -> dict[str, Any]:
    """EnvoyExtensionPolicy of the routes to models: reads what comes back, and counts tokens if limited."""
    labels = {TENANT_LABEL: tenant["name"], **TO_A_MODEL}
    code = _script(tenant, routing=False)
    return {
        "targetSelectors": [{"group": ROUTES, "kind": "HTTPRoute", "matchLabels": labels}],
        "lua": [{"type": "Inline", "inline": code}],
    }


def _script(tenant: RoutedTenant, *, routing: bool) -> str:
    limited = bool(tenant.get("token_limits"))
    return script.script(routing=routing, counting=limited, most_tokens=tenant.get("max_tokens"))


def direct(status: int, body: str) -> dict[str, Any]:
    """HTTPRouteFilter that answers itself."""
    return {"directResponse": {"statusCode": status, **answers.content(body)}}


def tenant_route(host: str, tenant: str, *, listing: str, unknown: str) -> dict[str, Any]:
    """HTTPRoute of a tenant: the list of its models, and what names none of them, by these filters."""
    path = tenant_path(tenant)
    return {
        **_attached(host),
        "rules": [
            {
                "matches": [{"path": {"type": "Exact", "value": f"{path}/models"}, "method": "GET"}],
                "filters": [_filter(listing)],
            },
            # Also what the script leads to a model that there is not.
            {
                "matches": [{"path": {"type": "PathPrefix", "value": f"/{tenant}"}}],
                "filters": [_filter(unknown)],
            },
        ],
    }


def model_route(host: str, tenant: RoutedTenant, model: str, *, timeout: int) -> dict[str, Any]:
    """HTTPRoute of a model or adapter: to its Service and its canary's, without what proves who calls.

    Calls of a scaled model carry its name to the interceptors, by the host that they are for.
    """
    rewritten: dict[str, Any] = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v1"}}
    base = served_by(tenant, model)
    if base in tenant.get("scaled", []):
        rewritten["hostname"] = keda.host(base, tenant["namespace"])
    return {
        **_attached(host),
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": model_path(tenant["name"], model)}}],
                "filters": [
                    {"type": "URLRewrite", "urlRewrite": rewritten},
                    {"type": "RequestHeaderModifier", "requestHeaderModifier": headers(tenant, base)},
                ],
                "backendRefs": _backends(tenant, base),
                "timeouts": {"request": f"{timeout}s"},
            }
        ],
    }


def names(tenant: RoutedTenant) -> Sequence[str]:
    """Model names of a tenant that callers may use."""
    return [*tenant["models"], *tenant.get("adapters", {})]


def served_by(tenant: RoutedTenant, name: str) -> str:
    """The model whose Service answers to `name`, which is its own or an adapter's."""
    return tenant.get("adapters", {}).get(name, name)


def routed(tenant: RoutedTenant, model: str) -> Mapping[str, int | None]:
    """Weight by the name of each InferenceService that a model's calls go to; None: all of them."""
    for one in tenant.get("canaries", []):
        if one["model"] == model:
            return {model: MOST_WEIGHT - one["weight"], one["name"]: one["weight"]}
    return {model: None}


def _backends(tenant: RoutedTenant, model: str) -> list[dict[str, Any]]:
    return [
        {**_service(tenant, name), **({} if weight is None else {"weight": weight})}
        for name, weight in routed(tenant, model).items()
    ]


def _service(tenant: RoutedTenant, name: str) -> dict[str, Any]:
    if name in tenant.get("scaled", []):
        return {"name": keda.SERVICE, "namespace": keda.NAMESPACE, "port": keda.PORT}
    names = served_names(kind_of(tenant, name), name, prefill=name in tenant.get("disaggregated", []))
    return {"name": names.service, "namespace": tenant["namespace"], "port": names.port}


def kind_of(tenant: RoutedTenant, name: str) -> ServingKind:
    """Kind of the object that serves a model of `tenant`."""
    llm = name in tenant.get("llm_services", [])
    return ServingKind.LLM_INFERENCE_SERVICE if llm else ServingKind.INFERENCE_SERVICE


def model_ports(tenants: Sequence[RoutedTenant]) -> list[int]:
    """Ports that the servers of the models of `tenants` listen on."""
    llm = any(one.get("llm_services") for one in tenants)
    kinds = [ServingKind.INFERENCE_SERVICE, *([ServingKind.LLM_INFERENCE_SERVICE] if llm else [])]
    return [PORTS[kind] for kind in kinds]


def _attached(host: str) -> dict[str, Any]:
    return {"parentRefs": [{"name": GATEWAY, "sectionName": LISTENER}], "hostnames": [host]}


def _filter(name: str) -> dict[str, Any]:
    reference = {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter", "name": name}
    return {"type": "ExtensionRef", "extensionRef": reference}


def grant(namespace: str) -> dict[str, Any]:
    """ReferenceGrant in another namespace: routes of the gateway's may lead to its Services."""
    return {
        "from": [{"group": ROUTES, "kind": "HTTPRoute", "namespace": namespace}],
        "to": [{"group": "", "kind": "Service"}],
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
            dns(),
            egress([pod_peer(PODS)], XDS_PORT, WASM_PORT),
            *([egress([namespace_peer(one) for one in namespaces], *model_ports)] if namespaces else []),
            *([egress([namespace_peer(keda.NAMESPACE)], keda.PORT)] if scaled else []),
            *([egress(known)] if known else []),
            *([egress([pod_peer(rate_limits.PODS)], rate_limits.PORT)] if limited else []),
        ],
    )
