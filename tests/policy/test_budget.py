"""The budget in the pack: it counts what the components deploy, and refuses what the plan refuses."""

import json
from typing import Any

import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.proxy import UNKNOWN_NUMBER_VALUE, UNKNOWN_STRING_VALUE
from tests.components.gpu_node_pool.clouds import PLUGIN, eks, eks_args, gke, graph_of
from tests.components.harness import Graph, Registered, build
from tests.deploy.test_platform import SECRETS
from tests.planning.test_cost import STOCKHOLM, whole
from tests.providers.gcp.clusters import KINDS
from tests.stacks.stack_files import parsed, problems

from corral.catalogue.prices import offers
from corral.catalogue.vocabulary import Purchase
from corral.components._kit import ArgsError
from corral.components.gpu_node_pool import ExistingGpuNodePool
from corral.components.gpu_node_pool.eks import EksGpuNodePool
from corral.components.gpu_node_pool.node_labels import POOL_LABEL
from corral.controls.cost import groups
from corral.controls.cost.groups import POOL
from corral.policy.configured import configured
from corral.policy.constraints import constraints_of
from corral.policy.pack import BUDGETED, concerns, policies
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan

MANDATORY, ADVISORY = analyzer_pb2.MANDATORY, analyzer_pb2.ADVISORY
AWS = {"region": "eu-north-1"}
P5 = 58.8928
"""US dollars an hour of one p5.48xlarge in eu-north-1, on demand."""


def struct(props: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(props)
    return made


def seen(found: Registered, aws: dict[str, str]) -> Any:
    """A resource as the engine hands it over, with where its launch template comes from."""
    resource = analyzer_pb2.AnalyzerResource(
        type=found.type, name=found.name, urn=found.urn, properties=struct(found.inputs)
    )
    resource.propertyDependencies["launchTemplate"].urns.extend(found.dependencies)
    if found.type.startswith("aws:"):
        resource.provider.CopyFrom(
            analyzer_pb2.AnalyzerProviderResource(type="pulumi:providers:aws", properties=struct(aws))
        )
    return resource


def judged(
    *graphs: Graph, platform: dict[str, Any] | None = None, aws: dict[str, str] = AWS
) -> list[tuple[str, int, str]]:
    """(policy, level, message) of what the pack says about cost, under that `corral:platform`."""
    config = {} if platform is None else {"corral:platform": json.dumps(platform)}
    made = policies(constraints_of(config))
    served: Any = configured(lambda _: made, concerns)("corral", "0.1.0", made, EnforcementLevel.MANDATORY)
    resources = [seen(one, aws) for graph in graphs for one in graph]
    response = served.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources), None)
    found = [(one.policyName, one.enforcementLevel, one.message) for one in response.diagnostics]
    return [one for one in found if one[0] in ("sov-cst-01", BUDGETED) or "SOV-CST-01" in one[2]]


def budget(monthly: float, currency: str = "USD", **more: Any) -> dict[str, Any]:
    return {"budget": {"monthly": monthly, "currency": currency}, **more}


def two(**more: Any) -> Graph:
    """A pool that may grow to two p5.48xlarge."""
    return eks(**{"size": {"min": 0, "max": 2}, "devices": PLUGIN, **more})


def test_the_price_that_these_tests_reckon_with_is_the_catalogues():
    assert float(offers("p5.48xlarge", "eu-north-1")[Purchase.ON_DEMAND].per_hour) == P5


def test_a_pool_at_its_most_nodes_is_held_against_the_budget():
    most = 2 * P5 * 730
    assert judged(two(), platform=budget(most)) == []
    ((policy, level, message),) = judged(two(), platform=budget(most - 0.01))
    assert (policy, level) == ("sov-cst-01", MANDATORY)
    assert "chat-nodes, 2 x p5.48xlarge, 85,984 USD" in message
    assert message.endswith("raise `budget`.")


def test_dollars_are_counted_in_the_budgets_currency():
    assert judged(two(), platform=budget(2 * P5 * 730 * 0.9, "EUR")) == [], "0.8684 EUR for a dollar"
    given = {"monthly": 2 * P5 * 730 * 0.9, "currency": "EUR", "exchange-rate": 0.95}
    assert len(judged(two(), platform={"budget": given})) == 1


def test_all_groups_of_a_stack_count_together_whichever_cloud_they_are_in():
    ours = gke(
        gpu="L4", machine_type="g2-standard-4", zone="europe-west4-a", devices=PLUGIN, secure_boot=False
    )
    alone = budget(2 * P5 * 730 + 100)
    assert judged(ours, platform=alone) == []
    ((_, _, message),) = judged(two(), ours, platform=alone)
    assert "chat-nodes, 2 x p5.48xlarge" in message and "1 x g2-standard-4" in message


def test_a_group_that_nobody_marked_counts_too():
    graph = two()
    for one in graph.of("NodeGroup"):
        del one.inputs["tags"], one.inputs["labels"]
    assert len(judged(graph, platform=budget(1000))) == 1


def test_karpenter_may_add_what_its_limit_allows():
    pool = two(scaler="karpenter", security_groups=["sg-1"])
    said = {"sovereignty": {"profile": "eu-resident", "region": "eu-north-1"}}
    assert judged(pool, platform=budget(2 * P5 * 730, **said)) == []
    ((_, _, message),) = judged(pool, platform=budget(1000, **said))
    assert "chat-pool, 2 x p5.48xlarge" in message
    del pool.one("NodePool").inputs["spec"]["limits"]
    ((_, _, message),) = judged(pool, platform=budget(10**9, **said))
    assert "nothing limits the number of nodes of chat-pool" in message


def test_without_a_region_there_is_no_price_and_no_passing():
    ((_, level, message),) = judged(two(), platform=budget(10**9), aws={})
    assert level == MANDATORY and "the region of chat-nodes (p5.48xlarge) is not said" in message
    ((_, _, message),) = judged(two(), platform=budget(10**9), aws={"region": "eu-central-1"})
    assert (
        "p5.48xlarge on-demand has no price in eu-central-1; prices of it are known in us-east-1" in message
    )


@pytest.mark.parametrize("scaler", ["cluster-autoscaler", "karpenter"])
def test_a_price_by_contract_takes_the_place_of_the_lists(scaler):
    block = {
        "purchase": "capacity-block",
        "reservation": "cr-1",
        "node_hour": {"amount": 30, "currency": "USD"},
    }
    more = {"scaler": scaler, "security_groups": ["sg-1"], "subnets": ["subnet-1"]}
    assert judged(two(capacity=block, **more), platform=budget(2 * 30 * 730)) == []
    assert len(judged(two(capacity=block, **more), platform=budget(2 * 30 * 730 - 1))) == 1
    del block["node_hour"]
    ((_, _, message),) = judged(two(capacity=block, **more), platform=budget(10**9))
    assert "no list has a price for chat-" in message


def test_on_google_too():
    asked = {"node_hour": {"amount": 40.5, "currency": "USD"}}
    pool = gke(capacity=asked, secure_boot=False, devices=PLUGIN)
    assert pool.one("NodePool").inputs["nodeConfig"]["labels"]["corral.dev/node-hour"] == "40.5-USD"
    assert judged(pool, platform=budget(40.5 * 730)) == []
    assert len(judged(pool, platform=budget(40.5 * 730 - 0.01))) == 1


def test_another_price_makes_no_node_of_googles_anew():
    def inputs(amount: float) -> dict[str, Any]:
        asked = {"node_hour": {"amount": amount, "currency": "USD"}}
        return gke(capacity=asked, secure_boot=False, devices=PLUGIN).one("NodePool").inputs["nodeConfig"]

    old, new = inputs(40.5), inputs(39)
    changed = {f"nodeConfig.{key}" for key in old if old[key] != new[key]}
    assert changed and not changed & KINDS["gcp:container/nodePool:NodePool"].replaces


def test_a_price_that_is_none_is_refused_by_the_pool():
    for amount in (0, -1, float("inf"), True):
        with pytest.raises(ArgsError, match=r"chat\.capacity\.node_hour\.amount"):
            two(capacity={"node_hour": {"amount": amount, "currency": "USD"}})
    with pytest.raises(ArgsError, match=r"chat\.capacity\.node_hour\.currency: 'CHF' is not allowed"):
        two(capacity={"node_hour": {"amount": 1, "currency": "CHF"}})


def existing(**more: Any) -> Graph:
    nodes = [{"name": "a"}, {"name": "b"}]
    return build(lambda: ExistingGpuNodePool("whole", {"pool": "whole", "nodes": nodes, **more}))


def test_nodes_that_were_there_cost_what_their_pool_says_and_without_it_nobody_knows():
    assert POOL == POOL_LABEL
    price = {"node_hour": {"amount": 51.145, "currency": "EUR"}}
    assert judged(existing(**price), platform=budget(2 * 51.145 * 730, "EUR")) == []
    assert len(judged(existing(**price), platform=budget(2 * 51.145 * 730 - 0.01, "EUR"))) == 1
    silent = judged(existing(), platform=budget(10**9))
    assert len(silent) == 2 and all("none is stated" in message for _, _, message in silent)


def test_without_a_budget_it_is_said_that_rented_groups_are_not_judged_and_nothing_stops():
    ((policy, level, message),) = judged(two())
    assert (policy, level) == (BUDGETED, ADVISORY)
    assert message.endswith("is not evaluated: chat-nodes")
    assert judged(existing()) == [], "whether nodes of one's own cost anything is not said anywhere"


def test_what_a_preview_does_not_know_is_advice_and_hides_nothing_that_is_too_dear():
    graph = two()
    graph.one("NodeGroup").inputs["scalingConfig"]["maxSize"] = UNKNOWN_NUMBER_VALUE
    ((_, level, message),) = judged(graph, platform=budget(100_000))
    assert level == ADVISORY and "SOV-CST-01 cannot be decided in preview: chat-nodes" in message
    other = graph_of(lambda: EksGpuNodePool("other", eks_args(size={"min": 3}, devices=PLUGIN)))
    found = judged(graph, other, platform=budget(100_000))
    assert [level for _, level, _ in found] == [MANDATORY]


def test_what_a_provider_fills_in_later_does_not_put_the_verdict_off():
    graph = two()
    group = graph.one("NodeGroup").inputs
    group["instanceTypes"] = group["amiType"] = group["region"] = UNKNOWN_STRING_VALUE
    group["launchTemplate"]["id"] = UNKNOWN_STRING_VALUE
    assert [level for _, level, _ in judged(graph, platform=budget(1000))] == [MANDATORY]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "budget.monthly: None"),
        ({"monthly": "much"}, "budget.monthly: 'much': use a number above 0"),
        ({"monthly": -1}, "budget.monthly: -1"),
        ({"monthly": True}, "budget.monthly: True"),
        ({"monthly": 1, "currency": "CHF"}, "budget.currency: 'CHF': use one of EUR, USD"),
        ({"monthly": 1, "exchange-rate": 0}, "budget.exchange-rate: 0"),
    ],
)
def test_a_budget_that_is_none_ends_the_run(given, line):
    with pytest.raises(ValueError, match=line):
        constraints_of({"corral:platform": json.dumps({"budget": given})})


def deployed(monthly: float) -> tuple[Graph, dict[str, Any]]:
    """What the program deploys for three nodes at a price by contract, and its `corral:platform`."""
    pools = [whole(price_per_hour=12.345678, nodes={"names": ["a", "b", "c"]})]
    parts = dict.fromkeys(("kserve", "model-storage", "tenancy", "kyverno", "admission"), "off")
    wanted = {
        **STOCKHOLM,
        "cluster": {"kind": "existing"},
        "gpu_pools": pools,
        "models": [],
        "budget": {"monthly": monthly},
        "addons": parts,
    }
    graph = build(lambda: Platform(plan(parsed(**wanted), "test")), secret_config=SECRETS, stack="test")
    return graph, {"sovereignty": STOCKHOLM["sovereignty"], "budget": wanted["budget"]}


def test_what_the_plan_allows_to_the_cent_the_pack_allows_and_a_cent_less_neither():
    exact = 3 * 12.345678 * 730
    graph, platform = deployed(round(exact + 0.005, 2))
    assert judged(graph, platform=platform) == []
    assert len(judged(graph, platform={**platform, "budget": {"monthly": exact - 0.01}})) == 1
    pools = [whole(price_per_hour=12.345678, nodes={"names": ["a", "b", "c"]})]
    assert len(problems(**STOCKHOLM, gpu_pools=pools, models=[], budget={"monthly": exact - 0.01})) == 1


def test_a_pack_that_overlooked_managed_groups_would_let_the_dear_pool_pass(monkeypatch):
    """The mutation: the tests above fail where one kind of group is not read."""
    left = {key: value for key, value in groups.READERS.items() if "NodeGroup" not in key}
    monkeypatch.setattr(groups, "READERS", left)
    assert judged(two(), platform=budget(1)) == []
