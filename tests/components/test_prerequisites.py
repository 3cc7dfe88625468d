"""What a component needs that another brings: handed over as an argument, or read from the cluster."""

import pulumi
import pytest
from tests.components.harness import build

from corral.catalogue.addons import definition
from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager
from corral.components.kserve import KServe
from corral.components.model import Model
from corral.components.vector_db import VectorDatabase

DATABASE = {"engine": "pgvector", "credential": "x", "supply": {}}
MODEL = {
    "namespace": "team",
    "engine": "vllm",
    "arguments": [],
    "resource": {"name": "nvidia.com/gpu"},
    "weights": "simulated",
    "supply": {},
}
ALONE = {
    "database": (Addon.CERT_MANAGER, lambda more: VectorDatabase("alone", {**DATABASE, **more}), "Issuer"),
    "kserve": (Addon.CERT_MANAGER, lambda more: KServe("alone", {"supply": {}, **more}), "alone-chart"),
    "model": (Addon.KSERVE, lambda more: Model("alone", {**MODEL, **more}), "InferenceService"),
}
every_dependent = pytest.mark.parametrize(("addon", "made", "first"), ALONE.values(), ids=ALONE)


def served(addon: Addon, version: str) -> dict:
    return {definition(addon)[0]: {"spec": {"versions": [{"name": version, "served": True}]}}}


@every_dependent
def test_alone_it_reads_the_types_that_it_needs_before_it_makes_such_an_object(addon, made, first):
    graph = build(lambda: made({}), found=served(addon, definition(addon)[1]))
    (types,) = [one for one in graph if one.read]
    assert types.name == f"alone-needs-{addon.value}", "the engine's error says this name"
    (user,) = [one for one in graph if first in (one.kind, one.name)]
    assert types.urn in graph.before(user)


@every_dependent
def test_types_in_another_version_are_refused_with_the_one_that_is_needed(addon, made, first):
    name, version = definition(addon)
    with pytest.raises(pulumi.RunError, match=rf"{name}: the cluster serves v0; {version} is needed"):
        build(lambda: made({}), found=served(addon, "v0"))


def test_what_the_same_program_makes_is_handed_over_and_nothing_is_read():
    def program():
        cert_manager = CertManager("cert-manager", {"supply": {}})
        kserve = KServe("kserve", {"supply": {}, "cert_manager": cert_manager.namespace})
        VectorDatabase("vectors", {**DATABASE, "cert_manager": cert_manager.namespace})
        Model("chat", {**MODEL, "runtime": kserve.runtimes["vllm"]})

    graph = build(program)
    assert not [one.name for one in graph if one.read]
    model = graph.one("InferenceService")
    assert model.inputs["spec"]["predictor"]["model"]["runtime"] == "corral-vllm"
    assert graph.one("ClusterServingRuntime", "corral-vllm").urn in graph.before(model)
