"""How a replica of a model ends: calls may come for a while, and the answers that it gives are finished."""

from dataclasses import dataclass
from typing import Any

from corral.catalogue.engine_metrics import METRICS
from corral.catalogue.gateway import CONNECTION_SECONDS
from corral.catalogue.vocabulary import Engine, EngineMetric
from corral.components._pods import own_address
from corral.components.model.args import ModelArgs, drain_of, port_of

ENDING = 30
"""Seconds that a server has to end once it has no answer to give; Kubernetes' own default."""
UNROUTED = CONNECTION_SECONDS + 2
"""Seconds after which nobody sends a call to a replica that is to end: it and the news of it, by way of its
Service's endpoints to every node, go out at the same moment, and a proxy has connections from before."""
ADDRESS = "POD_IP"


@dataclass(frozen=True)
class PodEnd:
    """How a replica ends."""

    hook: dict[str, Any]
    """What goes before the server is told to."""
    answering: int
    """Seconds, those of the hook included, until the last answer is there or broken off."""
    variables: list[dict[str, Any]]
    """What the hook reads."""


def ending_of(args: ModelArgs) -> PodEnd:
    """When a replica's server is told to end.

    vLLM and text-embeddings-inference finish their answers when they are told, as soon as no call comes to
    them. llama.cpp breaks them off: it is told when it has none to give.
    """
    drain = drain_of(args)
    answering = UNROUTED + drain
    if Engine(args["engine"]) is not Engine.LLAMA_CPP:
        return PodEnd({"sleep": {"seconds": UNROUTED}}, answering, [])
    command = ["timeout", str(answering), "sh", "-c", _until_idle(port_of(args), drain)]
    stated = ADDRESS in args.get("environment", {})
    return PodEnd({"exec": {"command": command}}, answering, [] if stated else [own_address(ADDRESS)])


def _until_idle(port: int, drain: int) -> str:
    """A shell's text that ends when llama.cpp, which has metrics, answers nobody.

    Its image has curl for its own health check; in another's, without it, the whole time is waited for.
    """
    metrics = METRICS[Engine.LLAMA_CPP]
    busy = "|".join(metrics[one] for one in (EngineMetric.RUNNING, EngineMetric.WAITING))
    return (
        f"sleep {UNROUTED}; command -v curl >/dev/null || exec sleep {drain}; "
        f"while curl -sf ${ADDRESS}:{port}/metrics | grep -Eq '^({busy}) [1-9]'; do sleep 1; done"
    )
