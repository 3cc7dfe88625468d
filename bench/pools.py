"""Plans N models over M pools of slices, cut `auto` or `dynamic`, in a process of its own; prints JSON.

Seconds are those of the processor, which a plan keeps busy all the time: the same on a busy machine.
"""

import json
import random
import sys
import time
from typing import Any

from corral.stacks.config.loader import parse
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan

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


def config(models: int, pools: int, mig: str = "auto") -> dict[str, Any]:
    """The value of `corral:platform`: models of many sizes that go wherever they fit."""
    dice = random.Random(models)
    return {
        "sovereignty": {"profile": "open", "region": "embedded"},
        # Somebody else's cluster: there MIG mode is on where only a reset switches it.
        "cluster": {"kind": "existing", "kubernetes": "1.36"},
        "gpu-pools": [
            {
                "name": f"pool-{pool}",
                "gpu": GPUS[pool % len(GPUS)],
                "nodes": {"names": [f"node-{pool}-{number}" for number in range(1 + models // (5 * pools))]},
                "gpus-per-node": 8,
                "sharing": {"mig": mig},
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


def used(result: Plan) -> int:
    """GPUs that a model is on."""
    return sum(any(one.model for one in gpu.slices) for pool in result.pools for gpu in pool.gpus)


def main() -> None:
    models, pools, mig = int(sys.argv[1]), int(sys.argv[2]), (sys.argv[3:] or ["auto"])[0]
    plan(parse(config(pools, pools, mig)), "warm")
    begun = time.process_time()
    stack = parse(config(models, pools, mig))
    read = time.process_time()
    result = plan(stack, "bench")
    done = time.process_time()
    print(json.dumps({"seconds": done - read, "reading": read - begun, "gpus": used(result)}))


if __name__ == "__main__":
    main()
