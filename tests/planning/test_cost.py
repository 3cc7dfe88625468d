"""What a stack costs: exact shares, every way to buy, and the comparison with an API."""

import io
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from rich.console import Console
from tests.stacks.stack_files import model, parsed, planned, pool, problems, stack

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import Currency, Purchase
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.gpu_pools.allocators import pool_allocator
from corral.stacks.planning.mig.layouts import maximal_layouts
from corral.stacks.planning.pricing import cost, gpu_shares
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.pools import GpuPlan, SlicePlan
from corral.stacks.reports.terminal.plan import render

STOCKHOLM = {"sovereignty": {"profile": "open", "region": "eu-north-1"}, "cluster": {"kind": "existing"}}
OWNED = {"price": 250_000, "years": 4, "watts": 6500, "per-kwh": 0.21}


def whole(**changes: Any) -> dict[str, Any]:
    base = pool(name="whole", gpu="H100-80GB", sharing="whole", gpus_per_node=8, nodes={"names": ["a", "b"]})
    return {**base, **{key.replace("_", "-"): value for key, value in changes.items()}}


def costs(**changes: Any) -> CostPlan:
    return planned(**{**STOCKHOLM, **changes}).cost


def ranged(low: int, high: int, **changes: Any) -> CostPlan:
    """The cost of a pool made on demand, which no cluster kind of this version builds."""
    asked = whole(nodes={"min": low, "max": high}, instance="p5.48xlarge")
    config = StackConfig.model_validate(stack(**{**STOCKHOLM, "gpu_pools": [asked], "models": [], **changes}))
    pools = [pool_allocator(one).finish()[0] for one in config.gpu_pools]
    return cost(config.gpu_pools, pools, [], region=config.sovereignty.region, budget=config.budget)


def test_a_node_costs_what_its_cloud_asks_in_the_region_in_euro():
    found = costs(gpu_pools=[whole(instance="p5.48xlarge")], models=[]).pools[0]
    assert found.node_hour == Decimal("51.142508"), "58.8928 USD x 0.8684, rounded up"
    assert found.hour == 2 * found.node_hour
    assert found.bought == "p5.48xlarge on-demand" and "skypilot" in found.basis


@pytest.mark.parametrize(
    ("changes", "hour"),
    [
        ({"instance": "p5.48xlarge", "purchase": "spot"}, "24.592046"),
        ({"instance": "p5.48xlarge", "purchase": "reserved", "price_per_hour": 31.5}, "31.5"),
        ({"instance": "p5.48xlarge", "price_per_hour": 50}, "50"),
        ({"purchase": "owned", "owned": OWNED}, "8.499704"),
    ],
)
def test_every_purchase_option_has_its_price(changes: dict[str, Any], hour: str):
    found = costs(gpu_pools=[whole(**changes)], models=[]).pools[0]
    assert found.node_hour == Decimal(hour)
    assert found.purchase is Purchase(changes.get("purchase", "on-demand"))


def test_owned_hardware_is_written_off_by_the_hour_and_draws_power():
    bare = {**OWNED, "watts": 0.001, "per-kwh": 0.001}
    found = costs(gpu_pools=[whole(purchase="owned", owned=bare)], models=[]).pools[0]
    assert abs(found.hour / 2 * 8760 * 4 - 250_000) < Decimal("0.1")


@pytest.mark.parametrize(
    ("budget", "hour", "exchange"),
    [
        ({"monthly": 10**6, "currency": "USD"}, "58.8928", "0.8684"),
        ({"monthly": 10**6, "exchange-rate": 0.5}, "29.4464", "0.5"),
    ],
)
def test_amounts_are_in_the_currency_and_at_the_rate_of_the_budget(
    budget: dict[str, Any], hour: str, exchange: str
):
    found = costs(gpu_pools=[whole(instance="p5.48xlarge")], models=[], budget=budget)
    assert (found.pools[0].node_hour, found.exchange) == (Decimal(hour), Decimal(exchange))
    assert found.currency is Currency(budget.get("currency", "EUR"))


def test_a_pool_that_nobody_can_price_is_unresolved_and_says_why():
    found = costs(
        gpu_pools=[
            whole(instance="p5.48xlarge", purchase="reserved"),
            whole(name="other", gpu="H200-141GB", nodes={"names": ["c"]}, instance="p5e.48xlarge"),
            pool(),
        ],
        models=[],
    )
    assert found.unresolved == ("whole", "other", "slices")
    assert found.hour == 0
    assert [one.basis for one in found.pools] == [
        "p5.48xlarge has no reserved price in eu-north-1, but on-demand, spot",
        "p5e.48xlarge has no price in eu-north-1; prices are known in no region",
        "neither instance nor price-per-hour nor owned is given",
    ]


def test_shares_and_idle_add_up_to_the_price_of_the_pool_to_the_last_decimal():
    fleet = [
        model(name="a", replicas=3),
        model(name="b", model="mistral-7b-v0.3"),
        model(name="c", model="bge-m3", replicas=4),
        model(name="d", model="smollm2-135m", context=2048, max_num_seqs=2, replicas=2),
    ]
    asked = pool(gpus_per_node=3, price_per_hour=10.01)
    found = costs(gpu_pools=[asked], models=fleet).pools[0]
    assert {one.model for one in found.models} == {"a", "b", "c", "d"}
    assert sum((one.hour for one in found.models), found.idle) == found.hour == Decimal("10.01")
    assert all(one.hour > 0 for one in found.models) and found.idle > 0


def test_a_pool_used_to_the_last_slice_has_nothing_idle_and_never_less():
    small = {"model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}
    asked = pool(gpus_per_node=1, price_per_hour=10, sharing={"mig": [{"1g.5gb": 7}]})
    found = costs(gpu_pools=[asked], models=[{**small, "name": f"m{number}"} for number in range(7)]).pools[0]
    assert len(found.models) == 7
    assert 0 <= found.idle < Decimal("0.00001"), "10 EUR in sevenths, each rounded down"


def test_a_slice_counts_by_what_it_takes_more_of():
    asked = pool(gpus_per_node=1, price_per_hour=14, sharing={"mig": [{"3g.20gb": 2}]})
    assert costs(gpu_pools=[asked], models=[model()]).pools[0].models[0].hour == 7, "4 of 8 memory slices"
    asked = pool(gpus_per_node=1, price_per_hour=14, sharing={"mig": [{"1g.5gb": 7}]})
    small = costs(gpu_pools=[asked]).pools[0].models[0]
    assert small.hour == 2, "1 of 7 compute slices"


def test_whole_gpus_count_as_they_are():
    asked = whole(price_per_hour=8, nodes={"names": ["a"]})
    found = costs(gpu_pools=[asked], models=[model(replicas=3)]).pools[0]
    assert (found.models[0].hour, found.idle) == (3, 5)


@pytest.mark.parametrize("gpu", ["A30", "A100-40GB", "RTX-PRO-5000-48GB"])
def test_the_parts_of_a_full_gpu_are_never_more_than_all_of_it(gpu: str):
    for layout in maximal_layouts(gpu):
        slices = [name for name, count in layout for _ in range(count)]
        plan = GpuPlan("n", 0, tuple(SlicePlan(name, 1, f"m{i}") for i, name in enumerate(slices)))
        parts = list(gpu_shares(gpu, plan))
        assert len(parts) == len(slices)
        total = sum((part for _name, part in parts), Fraction())
        assert Fraction(1, 2) < total <= 1, layout
    assert gpus()[gpu].profiles


def test_a_4g_and_a_3g_slice_share_a_gpu_between_them():
    plan = GpuPlan("n", 0, (SlicePlan("4g.20gb", 1, "large"), SlicePlan("3g.20gb", 1, "small")))
    assert dict(gpu_shares("A100-40GB", plan)) == {"large": Fraction(8, 15), "small": Fraction(7, 15)}


def test_a_pool_made_on_demand_costs_from_its_fewest_to_its_most_nodes():
    found = ranged(0, 4)
    assert (found.hour_at_minimum, found.hour) == (0, 4 * Decimal("51.142508"))


@pytest.mark.parametrize(
    ("gpu", "instance", "gpus", "price", "used"),
    [("H100-80GB", "p5.4xlarge", 1, 6.88, "0.42"), ("L40S", "g6e.xlarge", 1, 1.861, "0.41")],
)
def test_the_use_at_which_a_gpu_beats_an_api_is_the_published_one(
    gpu: str, instance: str, gpus: int, price: float, used: str
):
    asked = whole(
        gpu=gpu, gpus_per_node=gpus, price_per_hour=price, nodes={"names": ["a"]}, instance=instance
    )
    found = costs(gpu_pools=[asked], models=[model()], budget={"monthly": 10**6, "currency": "USD"}).apis
    bedrock = next(one for one in found if one.provider == "Bedrock")
    assert (bedrock.input, bedrock.output) == (1024, 256)
    assert bedrock.utilisation is not None
    assert bedrock.utilisation.quantize(Decimal("0.01")) == Decimal(used), "Llama-3.1-8B, 4 in : 1 out"
    novita = next(one for one in found if one.provider == "Novita")
    assert novita.utilisation is not None and novita.utilisation > 1, "no use of the GPU is cheaper than that"


def test_the_tokens_from_which_on_a_pool_pays_are_where_both_cost_the_same():
    asked = whole(price_per_hour=8, nodes={"names": ["a"]})
    one = costs(
        gpu_pools=[asked],
        models=[model(model="gpt-oss-20b", replicas=2)],
        budget={"monthly": 10**6, "currency": "USD"},
    ).apis[0]
    share = 2 * 730
    api = Decimal(one.tokens) / 10**6 * (Decimal("0.30") + Decimal("0.07") * one.input / one.output)
    assert 0 <= api - share < Decimal("0.000001")
    assert one.utilisation == Decimal(one.tokens) / (2 * 11557 * 3600 * 730)


def test_the_same_api_is_dearer_in_euro_and_the_answer_does_not_change():
    asked = [whole(instance="p5.48xlarge")]
    euro = costs(gpu_pools=asked, models=[model()]).apis
    dollar = costs(gpu_pools=asked, models=[model()], budget={"monthly": 10**6, "currency": "USD"}).apis
    for one, other in zip(euro, dollar, strict=True):
        assert abs(one.tokens - other.tokens) <= one.tokens / 10**6, "the rate is in both"


def test_where_no_throughput_is_known_only_tokens_are_given():
    found = costs(gpu_pools=[pool(gpu="H100-80GB", price_per_hour=10)], models=[model()]).apis
    assert found and all(one.utilisation is None and one.tokens > 0 for one in found), "a slice has no figure"
    assert not costs(gpu_pools=[pool(price_per_hour=10)], models=[model(model="bge-m3")]).apis


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"instance": "p5.48"}, "gpu-pools[0].instance: p5.48: did you mean p5.48xlarge?"),
        (
            {"instance": "g6e.48xlarge"},
            "gpu-pools[0].instance: g6e.48xlarge: g6e.48xlarge has 8 x L40S, and the pool has H100-80GB: "
            "use p5.4xlarge, p5.48xlarge",
        ),
        (
            {"instance": "p5.4xlarge"},
            "gpu-pools[0].gpus-per-node: 8: p5.4xlarge has 1 x H100-80GB: use 1",
        ),
        ({"purchase": "owned"}, "gpu-pools[0].owned: missing: purchase: owned and the section"),
        ({"owned": OWNED}, "gpu-pools[0].owned: purchase on-demand: purchase: owned and the section"),
        (
            {"owned": OWNED, "purchase": "owned", "price_per_hour": 3},
            "gpu-pools[0].price-per-hour: 3: an owned node costs what the section owned says",
        ),
        (
            {"purchase": "leased"},
            "gpu-pools[0].purchase: leased: use one of on-demand, spot, reserved, owned",
        ),
        ({"price_per_hour": "5"}, "gpu-pools[0].price-per-hour: 5: use a number above 0, such as 1.25"),
        ({"price_per_hour": True}, "gpu-pools[0].price-per-hour: true: use a number above 0"),
        ({"price_per_hour": 0}, "gpu-pools[0].price-per-hour: 0: use more than 0"),
        (
            {"gpu": "RTX-PRO-4500-32GB"},
            "gpu-pools[0].gpu: RTX-PRO-4500-32GB: the name that its driver reports is unresolved",
        ),
    ],
)
def test_a_purchase_that_cannot_be_is_refused(changes: dict[str, Any], says: str):
    found = problems(**STOCKHOLM, gpu_pools=[whole(**changes)], models=[])
    assert len(found) == 1 and found[0].startswith(says), found


def printed(cost_of: dict[str, Any]) -> str:
    screen = io.StringIO()
    render(planned(**{**STOCKHOLM, **cost_of}), Console(file=screen, width=80, no_color=True))
    return screen.getvalue()


def test_the_table_of_costs_fits_80_columns_and_names_who_uses_what():
    text = printed(
        {
            "gpu_pools": [whole(instance="p5.48xlarge"), pool(name="unpriced")],
            "models": [model(name="a-name-of-twenty-four-chr", pool="whole", replicas=2)],
        }
    )
    assert max(len(line) for line in text.splitlines()) <= 80 and "…" not in text
    lines = text[text.index("Cost, EUR") :].splitlines()
    assert any(line.split()[:3] == ["whole", "p5.48xlarge", "on-demand"] for line in lines)
    assert any(line.split() == ["idle", "89.50", "65,334.55"] for line in lines), "14 of 16 GPUs"
    assert any(line.split()[:1] == ["unpriced"] and "unresolved" in line for line in lines)
    assert any(line.startswith("pools with a price") for line in lines)
    assert "unpriced: neither instance nor price-per-hour nor owned is given" in lines
    assert "0.8684" in text and "2026-06-30" in text, "the rate and its date"
    assert any("never" in line for line in lines), "an API that no GPU beats"
    assert any(line.startswith("throughput: aiconfigurator-core") for line in lines)


def test_the_same_cost_is_counted_every_time():
    asked = {"gpu_pools": [whole(instance="p5.48xlarge")], "models": [model(replicas=2)]}
    assert costs(**asked) == costs(**asked)
    assert Counter(one.purchase for one in costs(**asked).pools) == {Purchase.ON_DEMAND: 1}
    assert parsed(**STOCKHOLM, **asked).gpu_pools[0].purchase is Purchase.ON_DEMAND
