"""Prefill and decode in pods of their own: what vLLM 0.30.0 and llm-d's routing sidecar 0.9.0 call it.

A decode pod's sidecar sends a call to the prefill server that a header names, and then to its own engine,
which reads the cache of the prompt from that server by NIXL (docs/features/nixl_connector_usage.md of vLLM,
pkg/sidecar/proxy/connector_nixlv2.go of llm-d/llm-d-router).
"""

import json
from enum import StrEnum

from corral.catalogue.addons import descriptor
from corral.catalogue.runtimes import ServerOption
from corral.catalogue.vocabulary import Addon

ROLE_LABEL = "llm-d.ai/role"
"""Label by which KServe tells the pods of one LLMInferenceService apart."""
PREFILL_HEADER = "x-prefiller-host-port"
"""Header with host and port of the prefill server; without one the decode pod reads the prompt itself."""
SIDE_CHANNEL = {"VLLM_NIXL_SIDE_CHANNEL_PORT": str(descriptor(Addon.LLM_INFERENCE_SERVICE).ports["nixl"])}
"""Variable with the port of the handshake, one for each pod."""
SIDE_CHANNEL_HOST = "VLLM_NIXL_SIDE_CHANNEL_HOST"
"""Variable with the address that the other side is told, the pod's own."""
DECODE_PORT = descriptor(Addon.LLM_INFERENCE_SERVICE).ports["decode"]
"""Port of the engine in a decode pod, whose sidecar has that of every model."""
SIDECAR = "routing-sidecar"
"""Key of the catalogue's images, and name of the container.

Not `llm-d-routing-sidecar`, whose account KServe lets read every pod of the namespace.
"""
TRANSFER = "--kv-transfer-config"


class Role(StrEnum):
    """What a pod does, by the label that KServe gives it."""

    DECODE = "decode"
    PREFILL = "prefill"


KV_ROLES = {Role.DECODE: "kv_consumer", Role.PREFILL: "kv_producer"}


def transfer_option(role: Role) -> ServerOption:
    """What tells vLLM to move the cache of prompts.

    A cache that cannot be read fails the call: a decode pod that reads prompts after all would make every
    other call wait.
    """
    config = {
        "kv_connector": "NixlConnector",
        "kv_role": KV_ROLES[role],
        "kv_load_failure_policy": "fail",
    }
    return ServerOption((TRANSFER, json.dumps(config)), (TRANSFER, "--kv_transfer_config"))


def prefill_name(model: str) -> str:
    """What the plan calls the prefill replicas of `model`, and their own objects are named by."""
    return f"{model}-prefill"
