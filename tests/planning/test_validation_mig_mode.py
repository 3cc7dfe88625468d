"""MIG mode that only a reset switches."""

import pytest
from tests.stacks.stack_files import pool, problems

OFF = "gpu-pools[0].sharing.mig: dynamic: {} changes its MIG mode by a reset alone, and it is off on"


@pytest.mark.parametrize("gpu", ["A30", "A100-40GB", "A100-80GB"])
def test_a_plane_has_no_machine_on_which_these_gpus_could_be_cut_on_demand(gpu):
    (refused,) = problems(gpu_pools=[pool(gpu=gpu, sharing={"mig": "dynamic"})], models=[])
    assert refused.startswith(OFF.format(gpu)) and refused.endswith("use auto, or a GPU such as H100-80GB")


def test_on_somebody_elses_cluster_its_owner_is_asked_to_have_switched_it():
    cluster = {"kind": "existing", "kubernetes": "1.36"}
    assert problems(gpu_pools=[pool(sharing={"mig": "dynamic"})], models=[], cluster=cluster) == []
