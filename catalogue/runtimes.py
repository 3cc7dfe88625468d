"""Serving runtimes: the name, image and format that plan and components know each engine by."""

from dataclasses import dataclass

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon, Engine

MODEL_FOLDER = "/mnt/models"
"""Where a model's files are in the pod that serves it."""


@dataclass(frozen=True)
class RuntimeEntry:
    """How one engine is known."""

    name: str
    """Of its ClusterServingRuntime."""
    image: str
    """Key of the catalogue's images."""
    model_format: str
    """Format of a model's files, as KServe calls it."""


def _runtime(name: str, engine: Engine, model_format: str) -> RuntimeEntry:
    images = descriptor(Addon.KSERVE).images
    image = next(key for key, row in images.items() if row.serves is engine)
    return RuntimeEntry(name, image, model_format)


RUNTIMES = {
    Engine.LLAMA_CPP: _runtime("corral-llamacpp", Engine.LLAMA_CPP, "gguf"),
    Engine.VLLM: _runtime("corral-vllm", Engine.VLLM, "safetensors"),
}
