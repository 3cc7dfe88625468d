"""The budget: a plan above it, or that nobody can price, is refused in one line that says what would fit."""

from typing import Any

import pytest
from tests.planning.test_cost import OWNED, STOCKHOLM, ranged, whole
from tests.stacks.stack_files import model, planned, pool, problems

from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.budget import over_budget


def refused(monthly: float, *pools: dict[str, Any], models: list[dict[str, Any]] | None = None) -> list[str]:
    return problems(**STOCKHOLM, gpu_pools=list(pools), models=models or [], budget={"monthly": monthly})


P5 = whole(instance="p5.48xlarge", nodes={"names": ["a", "b", "c"]})
"""Three nodes: 112,002.09 EUR a month on demand, 53,856.58 on spot."""


def test_a_plan_within_its_budget_is_made():
    assert refused(112_003, P5) == []
    plan = planned(**STOCKHOLM, gpu_pools=[P5], models=[], budget={"monthly": 112_003})
    assert plan.cost.ceiling == 112_003


def test_the_ceiling_itself_is_allowed_and_a_cent_less_is_not():
    asked = whole(price_per_hour=10, nodes={"names": ["a"]})
    assert refused(7300, asked) == []
    assert len(refused(7299.99, asked)) == 1


def test_fewer_nodes_are_named_where_they_are_nearest_to_the_ceiling():
    assert refused(80_000, P5) == [
        "budget.monthly: 80,000 EUR: the plan costs 112,003 EUR a month, of which pool whole "
        "(p5.48xlarge on-demand, 3 nodes) 112,003 EUR; nearest that fits: 2 instead of 3 nodes in whole, "
        "74,669 EUR"
    ]


def test_another_purchase_option_is_named_where_it_is_nearest():
    (line,) = refused(60_000, P5)
    assert line.endswith("nearest that fits: purchase: spot for whole, 53,857 EUR")


def test_nodes_that_models_are_planned_on_are_not_given_away():
    many = [model(name=f"m{number}", pool="whole", replicas=8) for number in range(3)]
    (line,) = refused(80_000, P5, models=many)
    assert line.endswith("nearest that fits: purchase: spot for whole, 53,857 EUR"), "all three are full"


def test_where_no_single_change_fits_the_largest_is_named():
    (line,) = refused(1000, P5)
    assert line.endswith("no one change fits; the largest is 1 instead of 3 nodes in whole, 37,335 EUR")


def test_where_nothing_can_change_it_says_so():
    (line,) = refused(1000, whole(purchase="owned", owned=OWNED, nodes={"names": ["a"]}))
    assert "(owned, 1 node) 6,205 EUR" in line
    assert line.endswith("no pool has another purchase option with a price, or a node without a model")


def test_the_dearest_of_several_pools_is_named_and_all_count():
    small = pool(price_per_hour=1)
    (line,) = refused(112_003, small, P5)
    assert "costs 112,733 EUR" in line and "pool whole" in line


def test_a_pool_without_a_price_is_refused_under_a_budget_and_only_then():
    without = pool()
    assert planned(**STOCKHOLM, gpu_pools=[without], models=[]).cost.unresolved == ("slices",)
    assert refused(9000, without, P5) == [
        "gpu-pools[0]: pool slices has no price: a budget of 9,000 EUR a month needs one: neither instance "
        "nor price-per-hour nor owned is given; give price-per-hour"
    ]
    (line,) = refused(9000, whole(instance="p5.48xlarge", purchase="reserved"))
    assert "no reserved price in eu-north-1, but on-demand, spot" in line


@pytest.mark.parametrize(
    ("monthly", "advice"), [(74_669, []), (74_668, ["1 instead of 2 nodes in whole, 37,335 EUR"])]
)
def test_a_budget_holds_against_the_most_nodes(monthly: int, advice: list[str]):
    asked = whole(instance="p5.48xlarge", nodes={"min": 0, "max": 2})
    content = {**STOCKHOLM, "gpu-pools": [asked], "budget": {"monthly": monthly}}
    config = StackConfig.model_validate(content)
    cost = ranged(0, 2, budget={"monthly": monthly})
    found = over_budget(config.budget, config.gpu_pools, config.sovereignty.region, cost)
    assert len(found) == len(advice)
    assert all(words in str(one) for one, words in zip(found, advice, strict=True))


def test_without_a_budget_nothing_is_refused():
    assert problems(**STOCKHOLM, gpu_pools=[P5], models=[]) == []
