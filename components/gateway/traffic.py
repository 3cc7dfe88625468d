"""Policies of the calls: who may call, how often, and what happens to a call."""

from typing import Any
from urllib.parse import urlsplit

from corral.catalogue.gateway import CONNECTION_SECONDS, GATEWAY, keys_secret
from corral.catalogue.vocabulary import TENANT_LABEL, TokenUnit
from corral.components.gateway import answers, script
from corral.components.gateway.args import RoutedTenant, TokenIssuer, TokenLimit
from corral.components.gateway.routes import ROUTES, TO_A_MODEL

HTTPS_PORT = 443
RETRIES = 4
RETRIED = ["connect-failure", "refused-stream", "reset", "retriable-status-codes"]
"""Ends of a call, before a word of the answer, after which another server is asked."""
RETRIED_CODES = [502]
"""Answer of KEDA's interceptors in the place of a server that ended; no model's server has it."""
FIRST_RETRY, LAST_RETRY = "250ms", "2s"
"""Most that is waited before the first retry and before the last: all of them outlast the time, about two
seconds, in which a Service still leads to a replica that has just died."""
CALLER_HEADER = "x-corral-caller"
"""Tells a model who calls, by the name that the key has."""


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
