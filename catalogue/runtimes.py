"""Serving runtimes: the name, image and format that plan and components know each engine by."""

from dataclasses import dataclass

from corral.catalogue.vocabulary import Engine


@dataclass(frozen=True)
class RuntimeEntry:
    """How one engine is known."""

    name: str
    """Of its ClusterServingRuntime."""
    image: str
    """Key of the catalogue's images."""
    model_format: str
    """Format of a model's files, as KServe calls it."""


RUNTIMES = {
    Engine.LLAMA_CPP: RuntimeEntry("corral-llamacpp", "llama-cpp", "gguf"),
    Engine.VLLM: RuntimeEntry("corral-vllm", "vllm", "safetensors"),
}
