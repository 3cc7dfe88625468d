"""A stack of two tenants that share GPUs by queues, with a gateway before their models."""

import copy
from typing import Any

from tests.doubles.identity_provider import IdentityProvider

BLUE_CALLS = 5
"""Calls of a model of blue's that the gateway lets through in a minute."""
MOST_TOKENS = 1000
"""Tokens of an answer that the model `smollm2` gives at most."""
RED_TOKENS = 1200
"""Tokens of red's calls in 30 days: for all tests of a platform."""
STACK = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "embedded"},
    "fair-sharing": {},
    "observability": {"size": "5Gi"},
    "gateway": {
        "host": "models.example.eu",
        "port": 8443,
        "tenants": {"blue": {"requests-per-minute": BLUE_CALLS}},
    },
    "token-limits": {"tenants": {"red": {"tokens-per-month": RED_TOKENS}}},
    "tenants": [
        {"name": "red", "gpus": {"whole": 1, "slices": {"1g.5gb": 1}}},
        {"name": "blue", "gpus": {"whole": 2}},
    ],
    "gpu-pools": [
        {
            "name": "slices",
            "gpu": "A100-40GB",
            "nodes": {"names": ["slices-0"]},
            "gpus-per-node": 4,
            "sharing": {"mig": "all-1g.5gb"},
        },
        {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["whole-0"]}, "gpus-per-node": 4},
    ],
    "models": [
        {
            "name": "smollm2",
            "model": "smollm2-135m",
            "tenant": "red",
            "context": 2048,
            "max-num-seqs": 2,
            "max-tokens": MOST_TOKENS,
        },
        {"name": "chat", "model": "llama-3.1-8b", "tenant": "blue", "pool": "whole", "weights": "simulated"},
    ],
    "batches": [{"name": "nightly", "model": "smollm2", "schedule": "0 3 1 1 *", "deadline": 300}],
    "model-storage": {"size": "5Gi"},
    "addons": {"kyverno": "off"},
}
"""Of four whole GPUs one is red's, two are blue's, and one is nobody's; a model of blue's has one of them."""

AUDIENCE = "green-models"
REFRESH_SECONDS = 10


def with_tokens(provider: IdentityProvider) -> dict[str, Any]:
    """The stack with a third tenant, whose callers show tokens of this provider; it has no model."""
    content: dict[str, Any] = copy.deepcopy(STACK)
    content["tenants"].append({"name": "green"})
    content["gateway"]["tenants"]["green"] = {
        "jwt": {
            "issuer": provider.issuer,
            "jwks": provider.jwks,
            "network": "127.0.0.0/24",
            "audiences": [AUDIENCE],
            "ca": provider.authority,
            "refresh": REFRESH_SECONDS,
        }
    }
    return content


INTAKE_KEYS = {
    "CORRAL_SOURCE_INTAKE_ACCESS_KEY": "intake-reader",
    "CORRAL_SOURCE_INTAKE_SECRET_KEY": "secret-of-the-intake",
}
"""What opens the source `intake`, in the environment of whoever runs `corral`."""
CANDIDATE = "s3://intake/chat-next"
"""Source of a canary's files, which change."""


def with_intake(content: dict[str, Any], endpoint: str) -> dict[str, Any]:
    """`content` whose models may come from the bucket `intake` of the store at `endpoint`."""
    intake = {"name": "intake", "url": "s3://intake", "endpoint": endpoint, "region": "eu-central-1"}
    return {**content, "model-sources": [intake]}
