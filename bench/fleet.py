"""Builds a platform of N models under mocks, in a process of its own; prints one line of JSON."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pulumi
import yaml
from tests.components.harness import Graph, build
from tests.deploy.test_platform import SECRETS, write_kubeconfig

from bench.processes import peak_memory
from corral.catalogue.vocabulary import Addon
from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.deploy.wiring import wirings
from corral.stacks.planning.planner import plan

SLICES_PER_NODE = 28
"""Four A100-40GB, each cut into seven slices."""


def config(models: int) -> dict[str, Any]:
    """The value of `corral:platform`: `models` small models, a slice for each."""
    nodes = [f"slices-{index}" for index in range(-(-models // SLICES_PER_NODE))]
    return {
        "sovereignty": {"profile": "open", "region": "embedded"},
        "cluster": {"kind": "embedded"},
        "gpu-pools": [
            {
                "name": "slices",
                "gpu": "A100-40GB",
                "nodes": {"names": nodes},
                "gpus-per-node": 4,
                "sharing": {"mig": "auto"},
            }
        ],
        "models": [
            {
                "name": f"m{index}",
                "model": "smollm2-135m",
                "context": 2048,
                "max-num-seqs": 2,
                "weights": "simulated",
            }
            for index in range(models)
        ],
    }


def bare(graph: Graph) -> None:
    """As many resources with the same inputs, by the SDK alone: no component of ours, and no dependencies."""
    for number, one in enumerate(graph):
        name = f"{one.name}-{number}"
        if one.custom:
            pulumi.CustomResource(one.type, name, one.inputs)
        else:
            pulumi.ComponentResource(one.type, name).register_outputs({})


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CORRAL_HOME"] = folder
        plane = Path(folder) / "dev"
        plane.mkdir()
        record = {"name": "dev", "api_port": 1, "service_range": "127.96.0.0/16", "pod_octet": 97}
        rest: dict[str, Any] = {"inventory": "x", "egress_socket": "x", "ports": {}}
        (plane / "plane.json").write_text(json.dumps({**record, **rest}))
        write_kubeconfig(plane / "kubeconfig", "https://127.0.0.1:1")
        for addon in Addon:
            wirings(addon)
        begun = time.monotonic()
        configuration = config(int(sys.argv[1]))
        graph = build(lambda: Platform(plan(parse(configuration), "dev")), secret_config=SECRETS, stack="dev")
        seconds = time.monotonic() - begun
    memory = peak_memory()
    begun = time.monotonic()
    build(lambda: bare(graph))
    sdk_seconds = time.monotonic() - begun
    begun = time.monotonic()
    yaml.safe_dump_all([one.inputs for one in graph if one.custom])
    figures = {
        "seconds": seconds,
        "resources": len(graph.resources),
        "sdk_seconds": sdk_seconds,
        "yaml_seconds": time.monotonic() - begun,
        "memory": memory,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
