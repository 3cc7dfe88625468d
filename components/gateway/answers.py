"""What the gateway itself answers, in the form of OpenAI's interface."""

import json
from collections.abc import Sequence
from typing import Any

RETRY_SECONDS = 60
"""After that long the bucket of a minute is full again."""


def error(message: str, kind: str, code: str | None, param: str | None = None) -> str:
    """Body of an error."""
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})


UNKNOWN_MODEL = error(
    "The tenant has no such model, or the request names none.",
    "invalid_request_error",
    "model_not_found",
    "model",
)


def models(tenant: str, names: Sequence[str]) -> str:
    """Body of the list of a tenant's models."""
    entries = [{"id": name, "object": "model", "created": 0, "owned_by": tenant} for name in names]
    return json.dumps({"object": "list", "data": entries})


def overrides(*, requests_per_minute: int, max_body_mib: int) -> list[dict[str, Any]]:
    """`responseOverride` of a BackendTrafficPolicy: refusals, each with its reason."""
    invalid = "invalid_request_error"
    return [
        _override(401, error("No valid key or token.", invalid, "invalid_api_key")),
        _override(
            413, error(f"The request is larger than {max_body_mib} MiB.", invalid, "request_too_large")
        ),
        _override(
            429,
            error(
                f"The limit is {requests_per_minute} requests a minute.", "requests", "rate_limit_exceeded"
            ),
            {"set": [{"name": "retry-after", "value": str(RETRY_SECONDS)}]},
        ),
    ]


def _override(status: int, body: str, header: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "match": {"statusCodes": [{"type": "Value", "value": status}]},
        "response": {**content(body), **({} if header is None else {"header": header})},
    }


def content(body: str) -> dict[str, Any]:
    """A JSON body, as a `CustomResponse` and a direct one have it."""
    return {"contentType": "application/json", "body": {"type": "Inline", "inline": body}}
