"""Small stack files to start from."""

import copy
from pathlib import Path
from typing import Any

from corral.catalogue.quantities import GIB as GIB
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan

ROOT = Path(__file__).parents[2]

SMALL: dict[str, Any] = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "embedded"},
    "gpu-pools": [
        {
            "name": "slices",
            "gpu": "A100-40GB",
            "nodes": {"names": ["slices-0"]},
            "gpus-per-node": 2,
            "sharing": {"mig": "auto"},
        }
    ],
    "models": [{"name": "smollm2", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}],
}


def stack(**changes: Any) -> dict[str, Any]:
    """`SMALL` with the given sections in place of its own (`gpu_pools` is `gpu-pools`)."""
    content = copy.deepcopy(SMALL)
    content.update({key.replace("_", "-"): value for key, value in changes.items()})
    return content


def pool(**changes: Any) -> dict[str, Any]:
    """The pool of `SMALL` with changes."""
    return {**SMALL["gpu-pools"][0], **{key.replace("_", "-"): value for key, value in changes.items()}}


def model(**changes: Any) -> dict[str, Any]:
    """A simulated model with changes."""
    base = {"name": "chat", "model": "llama-3.1-8b", "weights": "simulated", "context": 8192}
    return {**base, **{key.replace("_", "-"): value for key, value in changes.items()}}


def parsed(**changes: Any) -> StackConfig:
    return parse(stack(**changes))


def planned(**changes: Any) -> Plan:
    return plan(parsed(**changes), "test")


def problems(**changes: Any) -> list[str]:
    """Lines that reading or planning gives."""
    try:
        planned(**changes)
    except StackErrors as error:
        return [str(problem) for problem in error.problems]
    return []
