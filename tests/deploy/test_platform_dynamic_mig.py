"""Slices that the DRA driver cuts on demand, under the recording engine: what follows from the one word."""

import pulumi
import pytest
from tests.components.harness import build
from tests.components.installs import values_of
from tests.deploy.test_platform import SECRETS, started

from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan

POOL = {"name": "burst", "gpu": "H100-80GB", "nodes": {"names": ["burst-0"]}, "gpus-per-node": 4}
CONTENT = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "embedded"},
    "models": [{"name": "chat", "model": "llama-3.1-8b", "weights": "simulated", "replicas": 2}],
}


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """Graphs by how the pool is cut, and the outputs of the one that is cut on demand."""
    found = {}
    outputs = {}

    def program(mig):
        def build_it():
            made = Platform(plan(parse({**CONTENT, "gpu-pools": [{**POOL, "sharing": {"mig": mig}}]}), "dev"))
            outputs[mig] = made.outputs
            for name, value in made.outputs.items():
                pulumi.export(name, value)

        return build_it

    with pytest.MonkeyPatch.context() as patch:
        started(tmp_path_factory.mktemp("home"), patch)
        for mig in ("auto", "dynamic"):
            found[mig] = build(program(mig), secret_config=SECRETS, stack="dev")
    return found, outputs


def test_the_driver_gets_its_gate_and_the_mig_manager_stays_away(graphs):
    found, _ = graphs
    assert values_of(found["dynamic"], "dra-driver-chart")["featureGates"] == {"DynamicMIG": True}
    assert values_of(found["dynamic"], "gpu-operator-chart")["migManager"] == {"enabled": False}
    assert "featureGates" not in values_of(found["auto"], "dra-driver-chart")


def test_its_nodes_carry_no_layout(graphs):
    found, _ = graphs
    marks = {mig: one.one("NodePatch").inputs["metadata"]["labels"] for mig, one in found.items()}
    assert "nvidia.com/mig.config" in marks["auto"] and "nvidia.com/mig.config" not in marks["dynamic"]
    assert marks["dynamic"]["corral.dev/pool"] == "burst"


def test_a_model_claims_a_slice_as_from_a_planned_cut_and_stays_in_its_pool(graphs):
    found, _ = graphs
    claims = {mig: one.one("ResourceClaimTemplate").inputs["spec"] for mig, one in found.items()}
    assert claims["auto"] == claims["dynamic"]
    (request,) = claims["dynamic"]["spec"]["devices"]["requests"]
    assert "1g" in str(request["exactly"]), "a slice, by its profile or the class that is named after it"
    service = found["dynamic"].one("InferenceService", "chat-service")
    assert "burst" in str(service.inputs["spec"]["predictor"])


def test_no_placement_is_told_that_nobody_decided(graphs):
    _, outputs = graphs
    assert outputs["dynamic"]["placements"] == {"chat": []}
    assert [place["profile"] for place in outputs["auto"]["placements"]["chat"]] == ["1g.20gb"] * 2
