"""What the gateway itself answers, in the form of OpenAI's interface."""

import json
from collections.abc import Sequence
from typing import Any

from corral.catalogue.vocabulary import TokenUnit
from corral.components.gateway.args import TokenLimit
from corral.components.gateway.errors import INVALID, error
from corral.components.gateway.script import METADATA, RESET

RETRY_SECONDS = 60
"""After that long the bucket of a minute is full again."""


WINDOWS = {TokenUnit.MINUTE: "a minute", TokenUnit.DAY: "a day", TokenUnit.MONTH: "30 days"}

UNKNOWN_MODEL = error(
    "The tenant has no such model, or the request names none.",
    INVALID,
    "model_not_found",
    "model",
)
NO_SERVER = error("No server of the model answers; try again.", "server_error", "service_unavailable")


def models(tenant: str, names: Sequence[str]) -> str:
    """Body of the list of a tenant's models."""
    entries = [{"id": name, "object": "model", "created": 0, "owned_by": tenant} for name in names]
    return json.dumps({"object": "list", "data": entries})


def overrides(
    *, requests_per_minute: int, max_body_mib: int, token_limits: Sequence[TokenLimit]
) -> list[dict[str, Any]]:
    """`responseOverride` of a BackendTrafficPolicy: refusals and their reasons; the first that fits holds.

    A limit of tokens is known by its number, which the header of Envoy's rate limit filter begins with.
    """
    return [
        _override(401, error("No valid key or token.", INVALID, "invalid_api_key")),
        _override(
            403, error("The token is not for models of this tenant.", INVALID, "insufficient_permissions")
        ),
        _override(
            413, error(f"The request is larger than {max_body_mib} MiB.", INVALID, "request_too_large")
        ),
        *(_override(status, NO_SERVER) for status in (502, 503)),
        _override(504, error("The answer took longer than it may.", "server_error", "timeout")),
        *(_tokens_spent(one) for one in token_limits),
        _override(
            429,
            error(
                f"The limit is {requests_per_minute} requests a minute.", "requests", "rate_limit_exceeded"
            ),
            {"set": [{"name": "retry-after", "value": str(RETRY_SECONDS)}]},
        ),
    ]


def _tokens_spent(limit: TokenLimit) -> dict[str, Any]:
    unit = TokenUnit(limit["unit"])
    message = f"The limit is {limit['tokens']} tokens in {WINDOWS[unit]}, and they are spent."
    brief = unit is TokenUnit.MINUTE
    kind, code = ("tokens", "rate_limit_exceeded") if brief else ("insufficient_quota", "insufficient_quota")
    override = _override(
        429,
        error(message, kind, code),
        {"set": [{"name": "retry-after", "value": f"%DYNAMIC_METADATA({METADATA}:{RESET})%"}]},
    )
    shown = {"name": "x-ratelimit-limit", "value": {"type": "Prefix", "value": f"{limit['tokens']},"}}
    return {**override, "match": {**override["match"], "responseHeaders": [shown]}}


def _override(status: int, body: str, header: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "match": {"statusCodes": [{"type": "Value", "value": status}]},
        "response": {**content(body), **({} if header is None else {"header": header})},
    }


def content(body: str) -> dict[str, Any]:
    """A JSON body, as a `CustomResponse` and a direct one have it."""
    return {"contentType": "application/json", "body": {"type": "Inline", "inline": body}}
