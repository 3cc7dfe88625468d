"""The gateway of a stack file, as it is built with everything around it."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
from tests.components.harness import Graph, build
from tests.deploy.test_platform import SECRETS, started
from tests.stacks.stack_files import model, planned

from corral.stacks.deploy.program import Platform

STACK = {
    "tenants": [{"name": "blue", "callers": ["shop"]}, {"name": "red", "namespace": "red-1"}],
    "models": [model(tenant="blue")],
    "gpu_pools": [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 2}],
    "gateway": {"host": "models.example.eu", "port": 8443},
}


SAID: dict[str, Any] = {}
"""Output `gateway` of the stack."""


def graph(home: Path, **changes: Any) -> Graph:
    def program():
        outputs = Platform(planned(**{**STACK, **changes})).outputs
        pulumi.Output.from_input(outputs["gateway"]).apply(SAID.update)

    with pytest.MonkeyPatch.context() as patch:
        started(home, patch)
        (home / "dev").rename(home / "test")
        return build(program, secret_config=SECRETS, stack="test")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return graph(tmp_path_factory.mktemp("home"))


def inwards(built: Graph, namespace: str) -> list[str]:
    policy = built.one("NetworkPolicy", f"tenancy-{namespace}-inwards").inputs["spec"]
    peers = [peer["namespaceSelector"]["matchLabels"] for rule in policy["ingress"] for peer in rule["from"]]
    return sorted(one["kubernetes.io/metadata.name"] for one in peers)


def test_proxies_and_named_callers_reach_a_tenants_models(built: Graph):
    assert inwards(built, "blue") == ["envoy-gateway-system", "monitoring", "shop"]
    assert inwards(built, "red") == ["envoy-gateway-system", "monitoring"]


def test_the_stack_says_where_and_how_models_are_called(built: Graph):
    assert built
    assert SAID["base-urls"] == {
        "blue": "https://models.example.eu:8443/blue/v1",
        "red": "https://models.example.eu:8443/red/v1",
    }
    assert SAID["credentials"]["blue"] == "corral keys make blue NAME"
    assert "https://models.example.eu:8443/blue/v1/chat/completions" in SAID["example"]
    assert '"model": "chat"' in SAID["example"]


def test_types_controller_and_endpoint_come_in_this_order(built: Graph):
    listener = built.one("kubernetes:gateway.networking.k8s.io/v1:Gateway")
    before = {urn.rpartition("::")[2] for urn in built.before(listener)}
    assert {"envoy-gateway-chart", "envoy-gateway-crds", "gateway-api-chart", "cert-manager-chart"} <= before


def test_the_types_of_the_gateway_api_come_once(built: Graph):
    values = {
        one.name: one.inputs["values"]["crds"]
        for one in built.of("Release")
        if one.inputs["chart"].endswith("gateway-crds-helm")
    }
    assert values.keys() == {"gateway-api-chart", "envoy-gateway-crds"}
    assert values["envoy-gateway-crds"]["gatewayAPI"] == {"enabled": False}
    assert built.one("Release", "envoy-gateway-chart").inputs["values"]["crds"] == {"enabled": False}


def test_a_route_changes_once_the_model_and_its_canary_are_rolled_out(tmp_path: Path):
    canary = {"weight": 10, "context": 4096}
    pools = [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 2}]
    made = graph(tmp_path, models=[model(tenant="blue", canary=canary)], gpu_pools=pools)
    route = made.one("HTTPRoute", "gateway-blue--chat-route")
    before = {urn.rpartition("::")[2] for urn in made.before(route)}
    assert {"chat-rollout", "chat-canary-rollout"} <= before
    weights = {one["name"]: one["weight"] for one in route.inputs["spec"]["rules"][0]["backendRefs"]}
    assert weights == {"chat-predictor": 90, "chat-canary-predictor": 10}
    listing = made.one("HTTPRoute", "gateway-blue-route")
    assert "chat-rollout" not in {urn.rpartition("::")[2] for urn in made.before(listing)}


def test_a_canary_has_what_its_model_has_beside_its_own_name(tmp_path: Path):
    canary = {"weight": 10, "context": 4096}
    pools = [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 2}]
    made = graph(tmp_path, models=[model(tenant="blue", canary=canary)], gpu_pools=pools)
    services = {one.object_name: one.inputs for one in made.of("InferenceService")}
    chat, other = services["chat"], services["chat-canary"]
    assert chat["metadata"]["namespace"] == other["metadata"]["namespace"] == "blue"
    assert other["metadata"]["labels"]["corral.dev/model"] == "chat-canary", "metrics tell them apart"
    assert other["metadata"]["labels"]["corral.dev/tenant"] == "blue"
    args = other["spec"]["predictor"]["model"]["args"]
    assert args[args.index("--served-model-name") + 1] == "chat"
    apart = tmp_path / "apart"
    apart.mkdir()
    alone = graph(apart, models=[model(tenant="blue")], gpu_pools=pools)
    (before,) = [one.inputs for one in alone.of("InferenceService")]
    assert chat["spec"] == before["spec"], "a model's pods do not change for its canary"
