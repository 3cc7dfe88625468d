"""Serving runtimes: the name and image that plan and components know each engine by."""

from dataclasses import dataclass

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon, Engine


@dataclass(frozen=True)
class RuntimeEntry:
    """How one engine is known."""

    name: str
    """Of its ClusterServingRuntime."""
    image: str
    """Key of the catalogue's images."""


def _runtime(name: str, engine: Engine) -> RuntimeEntry:
    images = descriptor(Addon.KSERVE).images
    return RuntimeEntry(name, next(key for key, row in images.items() if row.serves is engine))


RUNTIMES = {
    Engine.LLAMA_CPP: _runtime("corral-llamacpp", Engine.LLAMA_CPP),
    Engine.VLLM: _runtime("corral-vllm", Engine.VLLM),
}
