"""What serves a model, by the image or the command of its program, in CEL."""

from collections.abc import Sequence

from corral.controls.cel import HOOKS, listed, reached, text
from corral.controls.gpu.requests import ASKS

_ENGINE = (
    r"(?i)(vllm|sglang|text-generation-inference|tgi|lmdeploy|aphrodite|text-embeddings|infinity|llama[.-]?cpp"
    r"|llama-server|ollama|local-?ai|triton|huggingfaceserver|mlserver|torchserve|openvino|trtllm|tensorrt|/nim/)"
)
_NAMES = (
    "vllm",
    "sglang",
    "text-generation",
    "tgi",
    "lmdeploy",
    "aphrodite",
    "text-embeddings",
    "infinity",
    "llama",
    "local",
    "triton",
    "serve",
    "openvino",
    "trtllm",
    "tensorrt",
    "/nim/",
)
"""Parts of which an engine's image has one: a regular expression costs more than all of them."""
_BESIDE = r"(?i)(router|proxy|gateway|controller|operator|exporter|benchmark|scheduler|sidecar|webhook)"
"""Part of an image's name that is of what stands beside a server."""


_STARTS = (
    r"(?i)(^|[\s/;&|(\"'=])(vllm\s+serve|([a-z_]+[.])*(api_server|launch_server)|llama-server|llama_cpp[.]server"
    r"|text-generation-launcher|text-embeddings-router|tritonserver|ollama\s+serve|trtllm-serve"
    r"|lmdeploy\s+serve|aphrodite\s+run|mlserver\s+start)([\s\"';)&|]|$)"
)
"""A command that starts one, whatever its image is called."""


_STARTERS = ("serve", "launcher", "router", "aphrodite")
"""Parts of which such a command has one."""


def words(container: str) -> str:
    """CEL: command and arguments of a container, and of its hooks."""
    lists = [
        listed(container, "command"),
        listed(container, "args"),
        *(reached(container, one) for one in HOOKS),
    ]
    return f"({' + '.join(lists)})"


def engine(container: str) -> str:
    """CEL: whether a container is a program that loads models and serves them, by its image or command."""
    image, line = f"{container}.image", f"{words(container)}.map(w, string(w)).join(' ')"
    return (
        f"((has({image}) && {_has_one('n', image, _NAMES)} && {image}.matches({text(_ENGINE)}) && "
        f"!{image}.matches({text(_BESIDE)})) || "
        f"[{line}].exists(l, {_has_one('n', 'l', _STARTERS)} && l.matches({text(_STARTS)})))"
    )


def _has_one(name: str, value: str, parts: Sequence[str]) -> str:
    """CEL: whether the text `value` has one of `parts`, in letters of any case."""
    return f"[{value}.lowerAscii()].exists({name}, {text(list(parts))}.exists(p, {name}.contains(p)))"


SERVES = f"(size(variables.models) > 0 || {ASKS} || variables.containers.exists(c, {engine('c')}))"
"""CEL: whether an object's pods serve a model, or use GPUs; a parameter of rules, evaluated once."""
PODS = "[variables.pod, variables.pod1, variables.pod2, variables.pod3].filter(p, size(p) > 0)"
"""CEL: the pod specs of an object."""


def inits(pod: str) -> str:
    """CEL: init containers of a pod spec."""
    return listed(pod, "initContainers")


def every(pod: str) -> str:
    """CEL: all containers of a pod spec."""
    return f"({listed(pod, 'containers')} + {inits(pod)} + {listed(pod, 'ephemeralContainers')})"


def named(container: str) -> str:
    """CEL: names of the volumes that a container mounts."""
    return f"{listed(container, 'volumeMounts')}.map(m, m.?name.orValue(''))"
