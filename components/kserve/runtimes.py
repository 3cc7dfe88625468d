"""Serving runtimes: how each engine's server runs in a pod; models add their arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corral.catalogue.addons import descriptor
from corral.catalogue.images import image
from corral.catalogue.runtimes import RUNTIMES as entries
from corral.catalogue.vocabulary import Addon, Engine
from corral.components.supply import Supply, pull_secrets, reference

PORT = descriptor(Addon.KSERVE).ports["model"]
CONTAINER = "kserve-container"
"""Name by which KServe finds the model server among a pod's containers."""
SHARED_MEMORY = "shared-memory"
START_SECONDS = 3600
"""How long a server may take to load its weights."""
PROBE_SECONDS = 5


@dataclass(frozen=True)
class Runtime:
    """One engine as KServe runs it."""

    name: str
    image: str
    """Key of the catalogue."""
    model_format: str
    environment: Mapping[str, str]


LLAMA_CPP, VLLM = entries[Engine.LLAMA_CPP], entries[Engine.VLLM]
RUNTIMES = {
    Engine.LLAMA_CPP: Runtime(LLAMA_CPP.name, LLAMA_CPP.image, "gguf", {}),
    Engine.VLLM: Runtime(
        VLLM.name,
        VLLM.image,
        "safetensors",
        {
            # Weights come from the store alone, and nobody is told about it.
            "HF_HUB_OFFLINE": "1",
            "DO_NOT_TRACK": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HOME": "/tmp/huggingface",
            "VLLM_CACHE_ROOT": "/tmp/vllm",
        },
    ),
}


def runtime_spec(runtime: Runtime, supply: Supply) -> dict[str, Any]:
    """`spec` of the engine's ClusterServingRuntime."""
    health = {"httpGet": {"path": "/health", "port": PORT}, "periodSeconds": PROBE_SECONDS}
    secrets = {"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}
    return {
        "supportedModelFormats": [{"name": runtime.model_format, "autoSelect": False}],
        "protocolVersions": ["v1"],
        "containers": [
            {
                "name": CONTAINER,
                "image": reference(image(runtime.image), supply),
                "env": [{"name": "HOME", "value": "/tmp"}, *_variables(runtime.environment)],
                "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
                "startupProbe": {**health, "failureThreshold": START_SECONDS // PROBE_SECONDS},
                "readinessProbe": {**health, "failureThreshold": 3},
                "livenessProbe": {**health, "periodSeconds": 10, "failureThreshold": 6},
                "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "volumeMounts": [{"name": SHARED_MEMORY, "mountPath": "/dev/shm"}],
            }
        ],
        "volumes": [{"name": SHARED_MEMORY, "emptyDir": {"medium": "Memory"}}],
        **secrets,
    }


def _variables(environment: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in environment.items()]
