"""Serving runtimes: the name, image and format that plan and components know each engine by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon, Engine

MODEL_FOLDER = "/mnt/models"
"""Where a model's files are in the pod that serves it."""
BILL_FILE = "bom.cdx.json"
"""Beside the files of an imported model: its bill of materials, CycloneDX."""
PORT = descriptor(Addon.KSERVE).ports["model"]
"""Port that the server of an InferenceService listens on."""
GGUF = ".gguf"
PART = re.compile(r"-[0-9]{5}-of-[0-9]{5}\.gguf$")
"""Ending of one part of a model that lies in several files."""


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
    Engine.TEXT_EMBEDDINGS: _runtime("corral-text-embeddings", Engine.TEXT_EMBEDDINGS, "safetensors"),
    Engine.VLLM: _runtime("corral-vllm", Engine.VLLM, "safetensors"),
}


DRAIN_SECONDS = 60
"""Seconds in which a replica that is to end finishes its answers."""
SHUTDOWN_TIMEOUT = "--shutdown-timeout"
"""By what vLLM is told them: it takes no call any more, and ends as soon as it has answered the others."""


@dataclass(frozen=True)
class ServerOption:
    """One thing that a model's server must be told, beside its sizes."""

    arguments: tuple[str, ...]
    names: tuple[str, ...]
    """Arguments that tell it already, alone or before `=`."""

    def within(self, arguments: Sequence[str]) -> bool:
        """Whether `arguments` tell it."""
        return any(one == name or one.startswith(f"{name}=") for one in arguments for name in self.names)


def server_options(
    engine: Engine, name: str, file: str | None, port: int = PORT, drain: int = DRAIN_SECONDS
) -> tuple[ServerOption, ...]:
    """Where the files of model `name` are, what it is called, where its server listens and how it ends.

    `file`: the one that llama.cpp opens; named after the model when None. `drain`: seconds in which it
    finishes its answers; without it vLLM breaks them off (vLLM pull request 36666, since v0.18.0).
    """
    listening = (_option("--host", "0.0.0.0"), _option("--port", str(port)))
    match engine:
        case Engine.LLAMA_CPP:
            path = f"{MODEL_FOLDER}/{file or name + GGUF}"
            return (_option("--model", path, "-m"), _option("--alias", name, "-a"), *listening)
        case Engine.TEXT_EMBEDDINGS:
            return (
                _option("--model-id", MODEL_FOLDER),
                _option("--served-model-name", name),
                # It takes the variable HOSTNAME, a pod's own name, for where to listen.
                _option("--hostname", "0.0.0.0"),
                _option("--port", str(port), "-p"),
            )
        case Engine.VLLM:
            folder = ServerOption((MODEL_FOLDER,), (MODEL_FOLDER, "--model"))
            ending = _option(SHUTDOWN_TIMEOUT, str(drain))
            return (folder, _option("--served-model-name", name), *listening, ending)


def _option(flag: str, value: str, *short: str) -> ServerOption:
    return ServerOption((flag, value), (flag, *short))


def gguf(files: Sequence[str]) -> str | None:
    """The file that llama.cpp opens, the first of several parts; None: there is none, or a choice."""
    parts = sorted(name for name in files if name.endswith(GGUF))
    several = len(parts) > 1 and not all(PART.search(name) for name in parts)
    return None if several or not parts else parts[0]
