"""Serving runtimes: the name and image that plan and components know each engine by."""

from dataclasses import dataclass

from corral.catalogue.vocabulary import Engine


@dataclass(frozen=True)
class RuntimeEntry:
    """How one engine is known."""

    name: str
    """Of its ClusterServingRuntime."""
    image: str
    """Key of the catalogue's images."""


RUNTIMES = {
    Engine.LLAMA_CPP: RuntimeEntry("corral-llamacpp", "llama-cpp"),
    Engine.VLLM: RuntimeEntry("corral-vllm", "vllm"),
}
