"""Who imports a cloud's SDK: the modules of that cloud's pool, and nobody else."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.marks import further

ROOT = Path(__file__).parents[3]
SDKS = ("pulumi_aws", "pulumi_gcp")


def loaded_by(*statements: str) -> list[set[str]]:
    """Which SDKs of clouds a fresh interpreter has after each of `statements`, one after the other."""
    tell = f"import sys; print(*[n for n in {SDKS!r} if n in sys.modules])"
    program = "\n".join(f"{statement}\n{tell}" for statement in statements)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    return [set(line.split()) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "steps",
    [
        {
            "from corral.components.gpu_node_pool import ExistingGpuNodePool": set(),
            "from corral.components.gpu_node_pool import PoolSize, NodeDisk, GpuDevices": set(),
            "from corral.components.gpu_node_pool import CloudPurchase": set(),
            "import corral.components.gpu_node_pool.cloud": set(),
            "import corral.stacks.deploy.program, corral.stacks.deploy.load": set(),
            "from corral.stacks.deploy.wiring import wirings": set(),
            "from corral.catalogue.vocabulary import Addon; list(map(wirings, Addon))": set(),
            "from corral.stacks.deploy.clusters import connect, existing": set(),
            "from corral.components.gpu_node_pool.eks import EksGpuNodePool": {"pulumi_aws"},
            "import corral.stacks.deploy.clusters.eks": {"pulumi_aws"},
        },
        further({"from corral.components.gpu_node_pool.gke import GkeGpuNodePool": {"pulumi_gcp"}}),
    ],
    ids=["nothing, then EKS", "GKE"],
)
def test_a_program_pays_for_the_clouds_that_it_uses_alone(steps):
    assert loaded_by(*steps) == list(steps.values())
