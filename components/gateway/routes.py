"""Routes of the gateway, and what they lead to, in the spelling of their types."""

from collections.abc import Mapping, Sequence
from typing import Any

from corral.catalogue.gateway import GATEWAY, model_path, tenant_path
from corral.catalogue.serving_kinds import PORTS, served_names
from corral.catalogue.vocabulary import ServingKind
from corral.components.gateway import answers
from corral.components.gateway.args import RoutedTenant
from corral.components.gateway.headers import headers
from corral.components.keda import names as keda

ROUTES = "gateway.networking.k8s.io"
LISTENER = "https"
MOST_WEIGHT = 100
TO_A_MODEL = {"corral.dev/leads-to": "model"}
"""Label of the routes by the paths of models."""


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
