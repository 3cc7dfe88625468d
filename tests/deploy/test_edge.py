"""The committed stack of a small site: one machine, one GPU in turns, nothing from outside."""

import json
from functools import cache

import pytest
from tests.components.existing_cluster.clusters import unexamined
from tests.components.harness import Graph
from tests.deploy.eks_stack import built_in, content, planned
from tests.deploy.test_air_gapped import outside, platform
from tests.deploy.violations import Violations
from tests.marks import first_of

from corral.catalogue.vocabulary import Addon, AddonState, Allocator, SharingKind
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.bundle import contents

STACK = "edge"
PROFILES = ("air-gapped", "eu-resident")


@cache
def plan_of(profile: str = "air-gapped") -> Plan:
    stated = content(STACK)
    stated["sovereignty"]["profile"] = profile
    return planned(stated, STACK)


@cache
def graph_of(profile: str = "air-gapped") -> Graph:
    return built_on_site(plan_of(profile))


def built_on_site(made: Plan) -> Graph:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBECONFIG", raising=False)
        unexamined(patch)
        return built_in(made, answers={}, computed={})


def test_its_models_take_turns_on_its_one_gpu():
    made = plan_of()
    (pool,) = made.pools
    assert (pool.sharing, pool.shares, len(pool.gpus)) == (SharingKind.TIME_SLICING, 2, 1)
    assert made.allocator is Allocator.DEVICE_PLUGIN and made.state(Addon.DRA_DRIVER) is AddonState.OFF
    assert {slot.model for slot in pool.gpus[0].slices} == {"chat", "embed"}
    assert {model.claim.name for model in made.models} == {"nvidia.com/gpu.shared"}


@pytest.mark.parametrize("profile", first_of(PROFILES))
def test_no_control_of_the_profiles_for_such_a_site_stops_it(profile: str):
    found, undecided = Violations(plan_of(profile), graph_of(profile), {}).of(graph_of(profile))
    assert found == []
    assert undecided == set()


def test_a_tools_image_from_elsewhere_is_stopped_by_no_control_and_admitted():
    stated = content(STACK)
    stated["images"] = {"tools": f"tools.example.eu/corral/tools:0.1.0@sha256:{'d' * 64}"}
    made = planned(stated, STACK)
    graph = built_on_site(made)
    assert Violations(made, graph, {}).of(graph) == ([], set())
    policy = json.dumps(graph.one("ValidatingPolicy", "sov-sup-01").inputs)
    assert "corral/tools" in policy
    assert "corral/tools" not in json.dumps(graph_of().one("ValidatingPolicy", "sov-sup-01").inputs)


def test_pods_with_classified_data_are_sent_to_nodes_of_the_site():
    spec = graph_of().one("MutatingPolicy", "corral-regions").inputs["spec"]
    (demand,) = [one["expression"] for one in spec["variables"] if one["name"] == "demand"]
    assert '"values": dyn(["plant-7"])' in demand
    assert plan_of().admission.places == ("plant-7",)
    assert plan_of("eu-resident").admission.places == (), "reported there, and not stopped"


def test_no_resource_names_a_host_outside_the_site():
    config = parse(content(STACK))
    assert outside(config, contents.registered(platform(config))) == []


def test_the_node_is_told_its_shares_and_the_driver_is_the_machine_s_own():
    graph = graph_of()
    (node,) = graph.of("NodePatch")
    assert node.object_name == "edge-1"
    labels = node.inputs["metadata"]["labels"]
    assert labels["corral.dev/pool"] == "shared"
    assert labels["nvidia.com/device-plugin.config"]
    assert not node.inputs.get("spec"), "a taint would leave the platform no node"
    operator = graph.one("Release", "gpu-operator-chart").inputs["values"]
    assert operator["driver"]["enabled"] is False


def test_every_store_is_one_pod_with_a_volume_of_the_named_class():
    graph = graph_of()
    sets = {one.name: one.inputs["spec"] for one in graph.of("StatefulSet")}
    assert {name: spec.get("replicas", 1) for name, spec in sets.items()} == dict.fromkeys(sets, 1)
    claims = [claim for spec in sets.values() for claim in spec.get("volumeClaimTemplates", ())]
    claims += [one.inputs for one in graph.of("PersistentVolumeClaim")]
    assert claims
    assert {one["spec"]["storageClassName"] for one in claims} == {"encrypted"}


def test_a_machine_without_a_gpu_serves_nothing_and_is_refused():
    stated = content(STACK)
    stated["gpu-pools"] = []
    stated["tenants"] = [{"name": "plant", "data-class": "internal"}]
    with pytest.raises(StackErrors) as error:
        planned(stated, STACK)
    assert str(error.value).startswith("models[0]")
