"""Versions that a stack file says, against what the DRA driver, MIG and profiles need."""

import pytest
from tests.stacks.stack_files import model, planned, pool, problems

from corral.catalogue.charts import chart
from corral.stacks.planning.validation.versions import at_least

OFF = {"dra-driver": "off"}
INSTEAD = "use a newer one, or addons: {dra-driver: off}"


def existing(version: object) -> dict[str, object]:
    return {"kind": "existing", "kubernetes": version}


def test_what_the_dra_driver_needs_is_what_its_own_documents_say():
    entry = chart("dra-driver-nvidia-gpu")
    assert (entry.version, entry.kubernetes, entry.gpu_driver) == ("0.4.1", "1.34.2", 565)


@pytest.mark.parametrize("version", ["1.34.2", "1.34.10", "1.35", "1.36.0", "2.0"])
def test_a_cluster_new_enough_is_taken(version: str):
    assert not problems(cluster=existing(version))


@pytest.mark.parametrize(
    ("version", "more"),
    [("1.33.9", ""), ("1.34.1", ""), ("1.34", " (1.34 may be an older patch)"), ("1.4", "")],
)
def test_a_cluster_too_old_for_the_dra_driver_is_refused(version: str, more: str):
    assert problems(cluster=existing(version)) == [
        f"cluster.kubernetes: {version}: the DRA driver 0.4.1 needs Kubernetes 1.34.2{more}: {INSTEAD}"
    ]
    assert not problems(cluster=existing(version), addons=OFF), "the device plugin needs none"


@pytest.mark.parametrize("version", [1.35, "v1.35", "1.35-gke", "1..2", "", True])
def test_what_is_no_version_or_may_have_lost_a_digit_is_refused(version: object):
    (line,) = problems(cluster=existing(version))
    assert line.startswith("cluster.kubernetes: ")
    assert line.endswith('use numbers and points, in quotes, such as "1.35" or "580.95.05"')


def test_a_version_of_null_is_an_absent_one():
    assert problems(cluster=existing(None)) == []


def test_a_gpu_driver_too_old_for_the_dra_driver_is_refused_whatever_is_shared():
    whole = pool(name="whole", nodes={"names": ["w"]}, sharing="whole", driver=550)
    assert problems(gpu_pools=[pool(driver="565.57.01"), whole]) == [
        f"gpu-pools[1].driver: 550: the DRA driver 0.4.1 needs GPU driver 565: {INSTEAD}"
    ]
    assert not problems(gpu_pools=[pool(), {**whole, "driver": "580.95.05"}])


@pytest.mark.parametrize(
    ("gpu", "sharing", "driver", "what", "floor"),
    [
        ("A100-40GB", {"mig": "all-1g.5gb"}, "440", "MIG", 450),
        ("A100-40GB", {"mig": "auto"}, "470.82", "1g.10gb", 525),
        ("A100-40GB", {"mig": "all-1g.10gb"}, "470.82", "1g.10gb", 525),
        ("A100-40GB", {"mig": [{"3g.20gb": 1, "1g.10gb": 1}]}, "470.82", "1g.10gb", 525),
        ("B200-180GB", {"mig": "auto"}, "550.54.15", "MIG", 570),
    ],
)
def test_a_driver_without_mig_on_that_gpu_or_without_the_profile_is_refused(
    gpu: str, sharing: object, driver: str, what: str, floor: int
):
    assert problems(gpu_pools=[pool(gpu=gpu, sharing=sharing, driver=driver)], models=[], addons=OFF) == [
        f"gpu-pools[0].driver: {driver}: {what} on {gpu} needs GPU driver {floor}: use a newer one, or whole"
    ]
    assert not problems(gpu_pools=[pool(gpu=gpu, sharing=sharing, driver=str(floor))], models=[], addons=OFF)


@pytest.mark.parametrize(
    "sharing", [{"mig": "all-1g.5gb"}, {"mig": [{"3g.20gb": 2}]}, {"mig": "all-balanced"}]
)
def test_a_profile_that_is_not_cut_asks_for_no_driver(sharing: object):
    assert not problems(gpu_pools=[pool(sharing=sharing, driver="470.82")], models=[], addons=OFF)


def test_slices_on_demand_may_be_of_any_profile():
    (refused,) = problems(
        gpu_pools=[pool(gpu="B300-269GB", sharing={"mig": "dynamic"}, driver=570)], models=[]
    )
    assert refused.startswith("gpu-pools[0].driver: 570: MIG on B300-269GB needs GPU driver 580")


def test_numbers_are_compared_as_numbers():
    assert at_least("1.100", "1.36") and not at_least("1.9", "1.36")
    assert at_least("1.36", "1.36.0") and at_least("1.36.0", "1.36")
    assert at_least("580.95.05", "580") and not at_least("579.99", "580")


@pytest.mark.usefixtures("mode_on")
@pytest.mark.parametrize(
    ("changes", "parts"),
    [({}, {}), ({"sharing": {"mig": "dynamic"}}, {}), ({"gpu": "L40S", "sharing": {"time-slicing": 2}}, OFF)],
)
def test_a_model_larger_than_a_slice_or_share_is_shown_the_whole_gpus_that_hold_it(
    changes: dict[str, object], parts: dict[str, str]
):
    asked = pool(**{"gpus_per_node": 8, **changes})
    gpu, number = (("A100-40GB", 8), ("L40S", 4))["gpu" in changes]
    (refused,) = problems(gpu_pools=[asked], models=[model(model="llama-3.3-70b")], addons=parts)
    assert (
        f"and slices and shares have no path between them: it needs {number} x {gpu} whole, and a node of "
        "pool slices has 8; use sharing: whole in pool slices, or a larger device"
    ) in refused
    assert planned(gpu_pools=[{**asked, "sharing": "whole"}], models=[model(model="llama-3.3-70b")])


def test_where_whole_gpus_would_be_too_few_they_are_not_advised():
    (refused,) = problems(gpu_pools=[pool(gpus_per_node=2)], models=[model(model="llama-3.3-70b")])
    assert "it needs 8 x A100-40GB whole, and a node of pool slices has 2; use a smaller model" in refused


def test_slices_are_not_shared_by_time():
    (refused,) = problems(gpu_pools=[pool(sharing={"mig": "auto", "time-slicing": 2})])
    assert (
        "a GPU is divided one way, and neither slices nor shares are divided again: use one of whole"
        in refused
    )
