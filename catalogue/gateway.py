"""Names that the gateway, its routes and its keys go by, for all that meet them."""

GATEWAY = "corral"
"""The Gateway, its class and the description of its proxies."""
PROXY = "corral-gateway"
"""Deployment and Service of the proxies."""
TLS_SECRET = "gateway-tls"
"""Secret with certificate and key of the endpoint, and the authority's certificate as `ca.crt`."""
PROXY_PORTS = (19000, 19001, 19002, 19003)
"""Ports of every proxy: administration, metrics, shutdown, readiness (Envoy Gateway's bootstrap)."""
NO_CALLER = "none"
"""Entry of a Secret of keys that is no caller's."""
NO_KEY = "no\ncaller"
"""Its key, which no header can carry.

Envoy's filter takes a route's empty list of keys for none of its own and falls back to the keys of the route
that came first, another tenant's (`api_key_auth.cc`): a list must never be empty.
"""
AVAILABILITY, LEAST_AVAILABILITY = 99.5, 90
"""Percent of calls that no server's error answers: the objective where none is stated, and the least."""
CONNECTION_SECONDS = 3
"""How long a proxy uses one connection to a server.

A server that is to end is in no route, and yet has calls of every connection that was made before; and one
that nothing was asked for 5 s is closed by the server, which may be asked just then (`timeout_keep_alive` of
vLLM's uvicorn, `CPPHTTPLIB_KEEPALIVE_TIMEOUT_SECOND` of llama.cpp's server).
"""
CALLER = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"
"""Name of a caller, whose key a Secret has under it."""


def keys_secret(tenant: str) -> str:
    """Name of the Secret with the keys of a tenant's callers."""
    return f"keys-{tenant}"


def tenant_path(tenant: str) -> str:
    """Path below which the models of a tenant answer, each by the name in the request."""
    return f"/{tenant}/v1"


def model_path(tenant: str, model: str) -> str:
    """Path below which one model answers, whatever the request names."""
    return f"/{tenant}/{model}/v1"


def route_name(tenant: str, model: str) -> str:
    """Name of the route to a model.

    Without a dot: Envoy's statistics end a cluster's name, which begins with that of its route, at the first.
    """
    return f"{tenant}--{model}"


PREDICTOR_PORT = 80
"""Port of a model's Service, as KServe has it."""


def predictor(model: str) -> str:
    """Service of a model, as KServe names it."""
    return f"{model}-predictor"


def canary(model: str) -> str:
    """Name of the canary of a model, which answers to the model's own name."""
    return f"{model}-canary"


def base_url(host: str, port: int, path: str) -> str:
    """What a client of OpenAI's interface takes as `base_url`."""
    return f"https://{host}{'' if port == 443 else f':{port}'}{path}"
