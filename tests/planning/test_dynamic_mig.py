"""Pools whose slices the DRA driver cuts on demand: what is planned, derived, shown and refused."""

import io
from decimal import Decimal
from fractions import Fraction

import pytest
from rich.console import Console
from tests.reports.pages import parsed as read_page
from tests.stacks.stack_files import model, parsed, planned, pool, problems

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import SharingKind
from corral.stacks.planning.gpu_pools.allocators import pool_allocator
from corral.stacks.planning.gpu_pools.dynamic_mig import DynamicMigAllocator
from corral.stacks.planning.mig.layouts import maximal_layouts
from corral.stacks.planning.pricing import _most, _part
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

pytestmark = pytest.mark.usefixtures("mode_on")
SMALL = {"name": "s", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}
FULL = "gpu-pools[0].sharing.mig: dynamic: "


def dynamic(**changes: object) -> dict[str, object]:
    return pool(**{"sharing": {"mig": "dynamic"}, **changes})


def mixed(gpus_per_node: int = 3) -> dict[str, object]:
    """Three 1g.5gb and three 3g.20gb, which lie on two GPUs at best and may keep two full for the last."""
    models = [{**SMALL, "replicas": 3}, model(replicas=3)]
    return {"gpu_pools": [dynamic(gpus_per_node=gpus_per_node)], "models": models}


def shown(**changes: object) -> str:
    screen = io.StringIO()
    render(planned(**changes), Console(file=screen, width=240, no_color=True))
    return screen.getvalue()


def test_a_model_claims_the_smallest_slice_that_holds_it_and_no_node_is_told_a_layout():
    found = planned(**mixed())
    assert [one.claim.profile for one in found.models] == ["1g.5gb", "3g.20gb"]
    assert [one.claim for one in found.models] == [
        one.claim for one in planned(**{**mixed(), "gpu_pools": [pool()]}).models
    ]
    (only,) = found.pools
    assert only.sharing is SharingKind.MIG_DYNAMIC
    assert only.mig_configs == () and [node.mig_config for node in only.nodes] == [None]
    assert only.shares == 1 and not any(one.whole for one in found.models)


def test_a_whole_gpu_is_not_offered_but_the_slice_that_is_all_of_one_is():
    (one,) = parsed(gpu_pools=[dynamic()], models=[]).gpu_pools
    assert [device.profile for device in pool_allocator(one).devices()] == [
        "1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb",
    ]  # fmt: skip
    assert pool_allocator(one).free(pool_allocator(one).devices()[-1]) == 2


def test_where_a_replica_lies_is_not_planned():
    found = planned(**mixed())
    assert [one.placements for one in found.models] == [(), ()]
    assert "any GPU of it" in read_page(page(found)).text


def test_what_would_fit_packed_is_taken_only_if_it_fits_in_every_order():
    assert planned(**mixed(3)).pools[0].guarantee.needed == 3
    (refused,) = problems(**mixed(2))
    assert refused.startswith("models[1]: chat needs 3 x 18.3 GiB on 3g.20gb of pool slices")
    assert refused.endswith(
        "use replicas: 1, or more GPUs, or mig: auto in pool slices, which would hold them"
    )
    assert planned(**{**mixed(2), "gpu_pools": [pool()]}), "as it says"


def test_a_refusal_does_not_advise_a_cut_that_would_not_hold_them_either():
    wanted = {"gpu_pools": [dynamic(gpus_per_node=1)], "models": [model(replicas=3)]}
    assert problems(**wanted)[0].endswith("use replicas: 2, or more GPUs")


def test_what_is_said_to_be_free_is_what_fits():
    (one,) = parsed(gpu_pools=[dynamic(gpus_per_node=4)], models=[]).gpu_pools
    for step, held in enumerate([(), (0,), (0, 3), (0, 0, 2, 3), (5, 1)]):
        for device in pool_allocator(one).devices():
            found, again = pool_allocator(one), pool_allocator(one)
            assert isinstance(found, DynamicMigAllocator)
            for kind in held:
                for each in (found, again):
                    assert each.take(each.devices()[kind], 1, 1, (f"m{step}", 1))
            free = found.free(device)
            assert not again.take(device, 1, free + 1, ("much", 1))
            assert again.free(device) == free, "a refusal leaves the allocator as it was"
            assert free == 0 or again.take(device, 1, free, ("right", 1))
            assert again.free(device) == 0


def test_a_pool_without_models_promises_nothing():
    found = planned(gpu_pools=[dynamic()], models=[])
    assert found.pools[0].guarantee is None and found.pools[0].lower_bound == 0
    assert "MIG slices cut on demand, 0 of 2 needed" in shown(gpu_pools=[dynamic()], models=[])


def test_the_plan_says_what_is_promised_and_that_its_cut_is_an_example():
    text = shown(**mixed(4))
    assert (
        "Pool slices: A100-40GB, MIG slices cut on demand, 3 of 4 needed in every order, 2 if packed\n"
        in text
    )
    assert (
        "there is always room on 3 GPUs: 1g.5gb counts 1, 3g.20gb counts 1; a GPU without room for 3g.20gb "
        "has 2, and all slices but one have 5, enough for 2 GPUs\n"
    ) in text
    assert (
        "one way to cut among many: the driver cuts when a pod comes, where the scheduler puts it\n" in text
    )
    assert "e.g. slices-0/0  " in text and "\nslices-0/2       uncut " in text
    assert "the fewest" not in text and "strands" not in text


def test_the_page_draws_the_cut_as_an_example():
    found = read_page(page(planned(**mixed())))
    figure = found.one("figure", "mig-dynamic")
    assert "3 of 3 needed in every order, 2 if packed" in figure.one("figcaption").text
    assert "one way to cut among many" in figure.one("figcaption").text
    names = [one.text for one in figure.all("p", "gpu-name")]
    assert [name.split(" GPU")[0] for name in names[:2]] == ["for example"] * 2
    assert names[2].startswith("GPU 2")
    assert "uncut" in next(figure.all("li", "free")).text


def test_who_owns_gpus_that_switch_mig_by_a_reset_is_told_to():
    note = "needs MIG mode on before the DRA driver starts"
    assert f"A100-40GB {note}" in shown(gpu_pools=[dynamic()])
    assert note not in shown(gpu_pools=[dynamic(gpu="H100-80GB")])
    assert {key for key, one in gpus().items() if one.mig_mode_by_reset} == {"A30", "A100-40GB", "A100-80GB"}


def test_a_slice_has_one_price_whatever_it_will_lie_beside():
    priced = dynamic(gpus_per_node=4, price_per_hour=60)
    alone = planned(gpu_pools=[priced], models=[model()]).cost.pools[0]
    beside = planned(gpu_pools=[priced], models=[model(), {**SMALL, "replicas": 5}]).cost.pools[0]
    hours = [{one.model: one.hour for one in found.models}["chat"] for found in (alone, beside)]
    half = Decimal("6.774193")
    assert hours == [half, half], "15 for a GPU, 4 of its 8 memory slices, 28/31 for 3 x 2g + 1 x 1g.10gb"
    assert sum((one.hour for one in beside.models), beside.idle) == beside.hour == 60


@pytest.mark.parametrize("gpu", ["A30", "A100-40GB", "RTX-PRO-5000-48GB"])
def test_no_cut_costs_more_than_its_gpu(gpu: str):
    for one in maximal_layouts(gpu):
        assert sum(_part(gpu, key) * count / _most(gpu) for key, count in one) <= Fraction(1)


def test_nodes_that_only_a_packed_cut_would_spare_are_not_advised_to_be_left_out():
    nodes = {"names": ["a", "b", "c", "d"]}
    wanted = {**mixed(), "gpu_pools": [dynamic(gpus_per_node=1, nodes=nodes, price_per_hour=10)]}
    (refused,) = problems(**wanted, budget={"monthly": 25000})
    assert "nearest that fits: 3 instead of 4 nodes in slices" in refused
    (refused,) = problems(**wanted, budget={"monthly": 15000})
    assert "the largest is 3 instead of 4 nodes in slices" in refused, "two would do for a planned cut alone"


def existing(**changes: object) -> dict[str, object]:
    return {"kind": "existing", **{key.replace("_", "-"): value for key, value in changes.items()}}


def test_dynamic_needs_the_dra_driver():
    assert problems(gpu_pools=[dynamic()], addons={"dra-driver": "off"}) == [
        FULL + "the DRA driver cuts slices on demand, and addons.dra-driver is off: "
        "use managed there, or auto here"
    ]


@pytest.mark.parametrize(
    ("mig", "said"), [("auto", "auto"), ("all-1g.5gb", "all-1g.5gb"), ([{"3g.20gb": 2}], "a layout")]
)
def test_dynamic_and_a_layout_in_one_cluster_are_refused(mig: object, said: str):
    other = pool(name="cut", nodes={"names": ["cut-0"]}, sharing={"mig": mig})
    assert problems(gpu_pools=[dynamic(), other]) == [
        f"gpu-pools[1].sharing.mig: {said}: the DRA driver cuts pool slices on demand, and destroys all "
        "slices that it did not cut: use dynamic or whole here, or auto there"
    ]
    assert not problems(gpu_pools=[dynamic(), {**other, "sharing": "whole"}])
    assert not problems(gpu_pools=[dynamic(), {**other, "sharing": {"mig": "dynamic"}}])


def test_dynamic_on_a_gpu_without_mig_is_refused():
    (refused,) = problems(gpu_pools=[dynamic(gpu="L40S")], models=[])
    assert refused.startswith(
        "gpu-pools[0].sharing: mig on L40S: L40S has no MIG: use whole, time-slicing or mps, or one of A30, "
    )


def test_a_node_with_more_gpus_than_the_driver_can_publish_is_refused():
    assert problems(gpu_pools=[dynamic(gpus_per_node=9)]) == [
        "gpu-pools[0].gpus-per-node: 9: the DRA driver publishes slices on demand of 8 GPUs of a node at "
        "most: use auto in sharing.mig"
    ]
    assert not problems(gpu_pools=[dynamic(gpus_per_node=8)])
    assert not problems(gpu_pools=[pool(gpus_per_node=9)])


@pytest.mark.parametrize(
    ("cluster", "found"),
    [
        (existing(), "cluster.kubernetes is not said"),
        (existing(kubernetes="1.34.2"), "off by default in 1.34.2"),
        (existing(kubernetes="1.35"), "off by default in 1.35"),
    ],
)
def test_without_partitionable_devices_slices_on_demand_are_refused(cluster: dict[str, object], found: str):
    assert problems(cluster=cluster, gpu_pools=[dynamic()]) == [
        f"{FULL}needs the gate DRAPartitionableDevices, {found}: use auto, or cluster: "
        '{kubernetes: "1.36"} or newer, or {feature-gates: [DRAPartitionableDevices]} where API server and '
        "scheduler have it on"
    ]


def test_a_cluster_that_has_them_by_default_or_says_so_is_taken():
    gates = ["DRAPartitionableDevices"]
    for cluster in (
        existing(kubernetes="1.36"),
        existing(kubernetes="1.100.1"),
        existing(kubernetes="1.34.2", feature_gates=gates),
        existing(feature_gates=gates),
        {"kind": "embedded"},
    ):
        assert not problems(cluster=cluster, gpu_pools=[dynamic()]), cluster
    assert not problems(cluster=existing(), gpu_pools=[pool()]), "nothing else asks for them"


@pytest.mark.parametrize(
    ("key", "value", "kinds"),
    [
        ("kubernetes", "1.35", "existing, eks, gke"),
        ("feature-gates", ["DRAPartitionableDevices"], "existing"),
    ],
)
def test_the_embedded_cluster_has_the_version_it_has(key: str, value: object, kinds: str):
    shown = value if isinstance(value, str) else value[0]
    assert problems(cluster={"kind": "embedded", key: value}) == [
        f"cluster.{key}: {shown}: belongs to kind {kinds}; the embedded cluster brings its own"
    ]


def test_a_gate_that_nobody_knows_is_refused_with_those_there_are():
    (refused,) = problems(cluster=existing(feature_gates=["DRAPartitionableDevice"]))
    assert refused == (
        "cluster.feature-gates[0]: DRAPartitionableDevice: did you mean DRAPartitionableDevices? "
        "use one of DRAPartitionableDevices"
    )
