"""Plans a stack of N models over M pools of slices, in a process of its own; prints one line of JSON.

Seconds are those of the processor, which a plan keeps busy all the time: the same on a busy machine.
"""

import json
import random
import sys
import time
from typing import Any

from corral.stacks.plan import Plan
from corral.stacks.planner import plan
from corral.stacks.reading import parse

GPUS = ("A100-40GB", "A100-80GB", "H100-80GB", "H200-141GB", "A30")
MODELS = (
    "smollm2-135m",
    "bge-m3",
    "llama-3.1-8b",
    "mistral-7b-v0.3",
    "qwen2.5-coder-7b",
    "qwen3-8b",
    "gpt-oss-20b",
)


def config(models: int, pools: int) -> dict[str, Any]:
    """The value of `corral:platform`: models of many sizes that go wherever they fit."""
    dice = random.Random(models)
    return {
        "sovereignty": {"profile": "open", "region": "embedded"},
        "cluster": {"kind": "embedded"},
        "gpu-pools": [
            {
                "name": f"pool-{pool}",
                "gpu": GPUS[pool % len(GPUS)],
                "nodes": {"names": [f"node-{pool}-{number}" for number in range(1 + models // (5 * pools))]},
                "gpus-per-node": 8,
                "sharing": {"mig": "auto"},
            }
            for pool in range(pools)
        ],
        "models": [
            {
                "name": f"m{number}",
                "model": dice.choice(MODELS),
                "context": dice.choice((2048, 8192)),
                "max-num-seqs": 8,
                "replicas": dice.randint(1, 3),
                "weights": "simulated",
            }
            for number in range(models)
        ],
    }


def used(found: Plan) -> int:
    """GPUs that a model is on."""
    return sum(any(one.model for one in gpu.slices) for pool in found.pools for gpu in pool.gpus)


def main() -> None:
    models, pools = int(sys.argv[1]), int(sys.argv[2])
    plan(parse(config(pools, pools)), "warm")
    begun = time.process_time()
    wanted = parse(config(models, pools))
    read = time.process_time()
    found = plan(wanted, "bench")
    done = time.process_time()
    print(json.dumps({"seconds": done - read, "reading": read - begun, "gpus": used(found)}))


if __name__ == "__main__":
    main()
