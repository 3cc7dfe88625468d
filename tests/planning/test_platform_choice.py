"""What the nodes' platform changes in a plan, and what it rules out."""

import io

import pytest
from rich.console import Console
from tests.stacks.stack_files import planned, pool, problems

from corral.catalogue.vocabulary import Allocator, Platform
from corral.stacks.reports.terminal.plan import render

PLUGIN = {"dra-driver": "off"}
WHOLE = pool(sharing="whole", gpus_per_node=4)


def on(platform: str | None = None, **more):
    given = {} if platform is None else {"platform": platform}
    return {"kind": "existing", **given, **more}


def test_a_cluster_that_says_nothing_has_machines_of_ones_own():
    assert planned().cluster.platform is Platform.BARE_METAL
    assert planned(cluster=on()).cluster.platform is Platform.BARE_METAL
    assert planned(cluster=on("gke-cos")).cluster.platform is Platform.GKE_COS


def test_the_plan_shows_what_the_nodes_are():
    out = io.StringIO()
    render(planned(cluster=on("eks-al2023")), Console(file=out, width=100))
    assert "cluster existing of eks-al2023 nodes" in out.getvalue()


def test_a_branch_of_compiled_drivers_is_passed_on():
    found = planned(cluster=on("eks-ubuntu", **{"precompiled-driver": 580}))
    assert found.cluster.precompiled_driver == 580
    assert planned(cluster=on("eks-ubuntu")).cluster.precompiled_driver is None


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"cluster": {"kind": "embedded", "platform": "gke-cos"}},
            "cluster.platform: gke-cos: the embedded cluster simulates its nodes: leave it out",
        ),
        (
            {"cluster": {"kind": "embedded", "precompiled-driver": 580}},
            "cluster.precompiled-driver: 580: the embedded cluster simulates its nodes: leave it out",
        ),
        (
            {"cluster": on("eks-bottlerocket"), "gpu_pools": [WHOLE]},
            "cluster.platform: eks-bottlerocket: its image brings a device plugin",
        ),
        (
            {"cluster": on("eks-bottlerocket"), "addons": PLUGIN},
            "gpu-pools[0].sharing: mig: the image of eks-bottlerocket divides GPUs by its own settings",
        ),
        *(
            (
                {
                    "cluster": on("eks-bottlerocket"),
                    "addons": PLUGIN,
                    "gpu_pools": [pool(sharing={way: 2})],
                    "models": [],
                },
                f"gpu-pools[0].sharing: {way}: the image of eks-bottlerocket divides GPUs",
            )
            for way in ("time-slicing", "mps")
        ),
        (
            {"cluster": on("eks-al2023", **{"precompiled-driver": 580})},
            "cluster.precompiled-driver: 580: eks-al2023 brings its driver itself: leave it out",
        ),
        (
            {"cluster": on("gke-ubuntu", **{"precompiled-driver": 580})},
            "cluster.precompiled-driver: 580: NVIDIA compiles no driver for kernel flavour gke",
        ),
        (
            {"cluster": on(**{"precompiled-driver": 580}), "addons": {"gpu-operator": "existing"}},
            "cluster.precompiled-driver: 580: gpu-operator is existing, so its owner chooses: leave it out",
        ),
        (
            {"cluster": on(**{"precompiled-driver": "580"})},
            "cluster.precompiled-driver: 580: use a whole number, without quotes",
        ),
        ({"cluster": on("gke")}, "cluster.platform: gke: did you mean gke-cos?"),
        (
            {"addons": {"gpu-operator": "off"}, "gpu_pools": [WHOLE], "models": []},
            "addons.gpu-operator: off: it labels GPU nodes and brings the driver where they have none",
        ),
    ],
)
def test_what_does_not_go_with_the_platform_is_refused_in_one_line(changes, line):
    found = problems(**changes)
    assert len(found) == 1 and found[0].startswith(line), found


def test_an_image_that_hands_its_gpus_out_serves_whole_gpus_through_its_own_plugin():
    assert problems(cluster=on("eks-bottlerocket"), addons=PLUGIN, gpu_pools=[WHOLE]) == []
    found = planned(cluster=on("eks-bottlerocket"), addons=PLUGIN, gpu_pools=[WHOLE])
    assert found.allocator is Allocator.DEVICE_PLUGIN
    assert found.models[0].claim.name == "nvidia.com/gpu"


def test_a_registry_of_ones_own_may_hold_drivers_for_any_kernel():
    mirror = {"profile": "open", "region": "embedded", "registry": "registry.example.eu"}
    assert problems(cluster=on("gke-ubuntu", **{"precompiled-driver": 580}), sovereignty=mirror) == []


def test_a_cluster_whose_operator_runs_a_gpu_cluster_gives_its_dra_driver_and_takes_no_operator():
    parts = {"gpu-operator": "off", "dra-driver": "existing"}
    assert problems(cluster=on(), addons=parts, gpu_pools=[WHOLE]) == []
    assert planned(cluster=on(), addons=parts, gpu_pools=[WHOLE]).allocator is Allocator.DRA_DRIVER


@pytest.mark.parametrize(("data_class", "refused"), [("internal", True), ("public", False)])
def test_classified_data_is_not_on_simulated_nodes_where_the_profile_keeps_it_to_its_regions(
    data_class: str, refused: bool
):
    lines = problems(
        sovereignty={"profile": "eu-controlled", "region": {"country": "DE", "site": "fra-1"}},
        tenants=[{"name": "assistants", "data-class": data_class}],
        cluster={"kind": "embedded"},
    )
    line = (
        f"tenants[0].data-class: {data_class}: profile eu-controlled keeps its pods to nodes of its regions"
    )
    assert any(one.startswith(line) for one in lines) is refused
