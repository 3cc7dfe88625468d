"""What a component needs that another brings: handed over as an argument, or read from the cluster."""

import pulumi
import pytest
from tests.components.harness import build

from corral.catalogue.addons import definition
from corral.catalogue.vocabulary import Addon
from corral.components.admission import Admission
from corral.components.cert_manager import CertManager
from corral.components.crds import Crds
from corral.components.fair_sharing import FairSharing, TenantQueues
from corral.components.gpu_operator import GpuOperator
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno
from corral.components.model import Model
from corral.components.model_storage import ModelStorage
from corral.components.observability import Observability
from corral.components.vector_db import VectorDatabase

DATABASE = {"engine": "pgvector", "credential": "x", "monitors": False, "supply": {}}
MODEL = {
    "namespace": "team",
    "engine": "vllm",
    "arguments": [],
    "resource": {"name": "nvidia.com/gpu"},
    "weights": "simulated",
    "monitors": False,
    "supply": {},
}
STORAGE = {
    "kind": "seaweedfs",
    "bucket": "models",
    "access_key": "a",
    "secret_key": "s",
    "encryption_key": "0" * 64,
    "supply": {},
}
WATCH = {"supply": {}, "grafana_password": "x"}
QUEUES = {"tenant": "team", "namespace": "team"}
SHARING = {
    "supply": {},
    "tenants": [{"name": "team", "namespace": "team", "guaranteed": []}],
    "offered": [{"pool": "whole", "resource": "nvidia.com/gpu", "count": 1}],
}
CONTROLS = {"controls": ["SOV-SUP-01"], "profile": "open", "native": False}
BARE = {"monitors": False, "supply": {}}
ALONE = {
    "admission": (Addon.KYVERNO, lambda more: Admission("alone", {**CONTROLS, **more}), "GeneratingPolicy"),
    "database": (Addon.CERT_MANAGER, lambda more: VectorDatabase("alone", {**DATABASE, **more}), "Issuer"),
    "kserve": (Addon.CERT_MANAGER, lambda more: KServe("alone", {**BARE, **more}), "alone-chart"),
    "model": (Addon.KSERVE, lambda more: Model("alone", {**MODEL, **more}), "InferenceService"),
    "observability": (
        Addon.PROMETHEUS_CRDS,
        lambda more: Observability("alone", {**WATCH, **more}),
        "alone-chart",
    ),
    "operator": (
        Addon.PROMETHEUS_CRDS,
        lambda more: GpuOperator("alone", {"platform": "gke-cos", "supply": {}, **more}),
        "alone-chart",
    ),
    "queues": (Addon.KUEUE, lambda more: TenantQueues("alone", {"tenants": [QUEUES]}), "LocalQueue"),
    "sharing": (
        Addon.PROMETHEUS_CRDS,
        lambda more: FairSharing("alone", {**SHARING, **more}),
        "alone-chart",
    ),
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
        cert_manager = CertManager("cert-manager", BARE)
        kserve = KServe("kserve", {**BARE, "cert_manager": cert_manager.namespace})
        VectorDatabase("vectors", {**DATABASE, "cert_manager": cert_manager.namespace})
        Model("chat", {**MODEL, "runtime": kserve.runtimes["vllm"]})

    graph = build(program)
    assert not [one.name for one in graph if one.read]
    model = graph.one("InferenceService")
    assert model.inputs["spec"]["predictor"]["model"]["runtime"] == "corral-vllm"
    assert graph.one("ClusterServingRuntime", "corral-vllm").urn in graph.before(model)
    issuer, chart = graph.one("Issuer"), graph.one("Release", "cert-manager-chart")
    assert chart.urn in graph.before(issuer), "an Issuer needs the webhook that the chart brings"


def test_queues_and_policies_of_the_same_program_wait_for_what_serves_them():
    def program():
        types = Crds("types", {"set": "prometheus-crds", "supply": {}})
        kyverno = Kyverno("kyverno", {"supply": {}, "monitor_types": types.definition})
        Admission("admission", {**CONTROLS, "native": True, "kyverno_types": kyverno.namespace})
        sharing = FairSharing("sharing", {**SHARING, "monitor_types": types.definition})
        queue = {**QUEUES, "cluster_queue": sharing.cluster_queues["team"]}
        TenantQueues("queues", {"tenants": [queue]})
        Observability("watch", {**WATCH, "monitor_types": types.definition})

    graph = build(program)
    assert not [one.name for one in graph if one.read]
    queue = graph.one("LocalQueue")
    assert queue.inputs["spec"] == {"clusterQueue": "team"}
    assert graph.one("ClusterQueue").urn in graph.before(queue)
    policy = graph.one("GeneratingPolicy")
    controllers = graph.of("DeploymentPatch")
    native = [one for one in graph.of("ValidatingAdmissionPolicy") if one.name.startswith("admission")]
    assert native
    for one in (policy, *native):
        assert {patch.urn for patch in controllers if "kyverno" in patch.name} <= graph.before(one)
    types = graph.one("Release", "types-chart").urn
    assert types in graph.before(graph.one("Release", "watch-chart"))
    assert types in graph.before(graph.one("Release", "sharing-chart"))


WATCHED = {
    "database": lambda more: VectorDatabase("alone", {**DATABASE, "cert_manager": "there", **more}),
    "model": lambda more: Model("alone", {**MODEL, "runtime": "there", **more}),
    "storage": lambda more: ModelStorage("alone", {**STORAGE, **more}),
    "operator": lambda more: GpuOperator("alone", {"platform": "gke-cos", "supply": {}, **more}),
    "cert-manager": lambda more: CertManager("alone", {"supply": {}, **more}),
    "kserve": lambda more: KServe("alone", {"supply": {}, "cert_manager": "there", **more}),
    "kyverno": lambda more: Kyverno("alone", {"supply": {}, **more}),
}
every_watched = pytest.mark.parametrize("made", WATCHED.values(), ids=WATCHED)


@every_watched
def test_a_watched_component_reads_prometheus_types_before_its_alerts(made):
    graph = build(lambda: made({"monitors": True}))
    (types,) = [one for one in graph if one.read]
    assert types.name == "alone-needs-prometheus-crds"
    assert types.urn in graph.before(graph.one("PrometheusRule"))


@every_watched
def test_monitors_wait_for_prometheus_types_of_the_same_program(made):
    def program():
        types = Crds("types", {"set": "prometheus-crds", "supply": {}})
        made({"monitors": True, "monitor_types": types.definition})

    graph = build(program)
    assert not [one.name for one in graph if one.read]
    assert graph.one("Release", "types-chart").urn in graph.before(graph.one("PrometheusRule"))


@every_watched
def test_what_is_not_watched_asks_for_no_prometheus_types(made):
    graph = build(lambda: made({"monitors": False}))
    assert not [one.name for one in graph if one.read] and not graph.of("PrometheusRule")
