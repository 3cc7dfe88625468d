"""Serving runtimes: how each engine's server runs in a pod; models add their arguments."""

from collections.abc import Mapping
from typing import Any

from corral.catalogue.images import image
from corral.catalogue.runtimes import PORT, RUNTIMES
from corral.catalogue.vocabulary import Engine
from corral.components._pods import restricted_container
from corral.components.supply import Supply, pull_secrets, reference

CONTAINER = "kserve-container"
"""Name by which KServe finds the model server among a pod's containers."""
SHARED_MEMORY = ("shared-memory", "/dev/shm", {"medium": "Memory"})
"""By which the processes of one vLLM pass tensors on. The others have one process, and where MPS shares a GPU
NVIDIA's device plugin mounts that folder for them (`updateResponseForMPS`), which this would hide."""
SCRATCH = ("scratch", "/tmp", {"sizeLimit": "8Gi"})
"""What an engine writes: kernels that it compiles, and caches."""
START_SECONDS = 3600
"""How long a server may take to load its weights."""
PROBE_SECONDS = 5
START_PROBE_SECONDS = 1
"""A server that has loaded its weights is waited for no longer than this."""
PATIENCE = {"periodSeconds": 10, "timeoutSeconds": 10}
"""A server that answers a long question under load is slow, not dead: restarting it breaks the answer off."""


ENVIRONMENTS: Mapping[Engine, Mapping[str, str]] = {
    Engine.LLAMA_CPP: {},
    Engine.TEXT_EMBEDDINGS: {"HF_HUB_OFFLINE": "1"},
    Engine.VLLM: {
        # Weights come from the store alone, and nobody is told about it.
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HOME": "/tmp/huggingface",
        "VLLM_CACHE_ROOT": "/tmp/vllm",
        # PyTorch asks for its user's name as it is imported, and the image knows none by our number
        # (docker/entrypoints/vllm-nonroot-entrypoint.sh of vLLM).
        "USER": "vllm",
    },
}


def runtime_spec(engine: Engine, supply: Supply, port: int = PORT) -> dict[str, Any]:
    """`spec` of the engine's ClusterServingRuntime; `port`: where its server listens."""
    runtime = RUNTIMES[engine]
    health = {
        "httpGet": {"path": "/health", "port": port},
        "periodSeconds": PROBE_SECONDS,
        "timeoutSeconds": PROBE_SECONDS,
    }
    folders = (SHARED_MEMORY, SCRATCH) if engine is Engine.VLLM else (SCRATCH,)
    secrets = {"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}
    return {
        "supportedModelFormats": [{"name": runtime.model_format, "autoSelect": False}],
        "protocolVersions": ["v1"],
        "containers": [
            {
                "name": CONTAINER,
                "image": reference(image(runtime.image), supply),
                "env": [{"name": "HOME", "value": "/tmp"}, *_variables(ENVIRONMENTS[engine])],
                "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}],
                "startupProbe": {
                    **health,
                    "periodSeconds": START_PROBE_SECONDS,
                    "failureThreshold": START_SECONDS // START_PROBE_SECONDS,
                },
                "readinessProbe": {**health, "failureThreshold": 3},
                "livenessProbe": {**health, **PATIENCE, "failureThreshold": 6},
                "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
                "securityContext": restricted_container(read_only_root=True),
                "volumeMounts": [{"name": name, "mountPath": path} for name, path, _ in folders],
            }
        ],
        "volumes": [{"name": name, "emptyDir": limits} for name, _, limits in folders],
        **secrets,
    }


def _variables(environment: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in environment.items()]
