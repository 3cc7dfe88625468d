"""A stack of a strict profile with adapters: no control stops it, and all that names models has them."""

import copy
import json
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
import pytest
from tests.components.existing_cluster.clusters import unexamined
from tests.components.harness import Graph
from tests.deploy.eks_stack import built_in, content, locks, resolved
from tests.deploy.violations import Violations
from tests.marks import first_of
from tests.reports.evidence.made import evidence
from tests.stacks.stack_files import stack

from corral.cli.bundle import _models  # pyright: ignore[reportPrivateUsage]
from corral.stacks.config.errors import ConfigErrors
from corral.stacks.config.loader import parse
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.evidence import bills

PROFILES = ("air-gapped", "eu-resident")
SQL = {"name": "sql", "source": "s3://intake/sql", "license": "MIT"}
FILES = ("adapter_config.json", "adapter_model.safetensors")
CANARY = {"weight": 10, "context": 2048}


def locked(source: str) -> LockedModel:
    files = [{"name": name, "size": 10**7, "sha256": "c" * 64} for name in FILES]
    lora = {"rank": 16, "target-modules": ["q_proj", "v_proj"]}
    return LockedModel.model_validate(
        {"source": source, "date": "2026-11-28", "files": files, "lora": lora, "revision": "v3"}
    )


def stated(profile: str, **more: Any) -> dict[str, Any]:
    site = content("onprem")
    site["sovereignty"] |= {"profile": profile}
    site["gateway"] = {"host": "models.example.eu"}
    site.pop("addons")
    site["gpu-pools"] = [
        {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["gpu-1"]}, "gpus-per-node": 4}
    ]
    site["tenants"] = [{"name": "assistants", "data-class": "internal", "gpus": {"whole": 4}}]
    chat = next(one for one in site["models"] if one["name"] == "chat")
    chat |= {"adapters": [SQL], "replicas": 1, "canary": CANARY, **more}
    site["models"] = [chat]
    return site


@cache
def plan_of(profile: str = "air-gapped") -> Plan:
    config = parse(stated(profile))
    files = [{"name": "model.safetensors", "size": 200 * 10**9, "sha256": "b" * 64}]
    (chat,) = config.models
    own = LockedModel.model_validate({"source": chat.source, "date": "2026-11-28", "files": files})
    lock = {**locks(config), "chat": own, "chat-canary": own, "sql": locked(SQL["source"])}
    with resolved():
        return plan(config, "onprem", lock)


@cache
def graph_of(profile: str = "air-gapped") -> Graph:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBECONFIG", raising=False)
        unexamined(patch)
        return built_in(plan_of(profile), answers={}, computed={})


@pytest.mark.parametrize("profile", first_of(PROFILES))
def test_no_control_stops_it(profile: str):
    assert Violations(plan_of(profile), graph_of(profile), {}).of(graph_of(profile)) == ([], set())


@pytest.mark.parametrize(
    "address", first_of(("s3://modelshop/sql", "acme/sql-lora", "/mnt/adapters/adapter_model.bin"))
)
def test_an_adapter_from_elsewhere_is_stopped(address: str):
    graph = copy.copy(graph_of())
    served = graph.one("InferenceService", "chat-service")
    text = json.dumps(served.inputs).replace("sql=/mnt/adapters/sql", f"sql={address}")
    graph.resources = [replace(one, inputs=json.loads(text)) if one is served else one for one in graph]
    stopped, _ = Violations(plan_of(), graph, {}).of(graph)
    assert {name for _, name, _ in stopped} == {"chat-service"}
    assert {control for control, _, _ in stopped} <= {"SOV-MOD-01", "SOV-MOD-02", "SOV-MOD-07"}


def test_a_profile_without_hubs_takes_no_adapter_from_one():
    site = stated("air-gapped", adapters=[{**SQL, "source": "hf://acme/sql"}])
    with pytest.raises(ConfigErrors, match=r"adapters\[0\].source: hf://acme/sql: profile air-gapped allows"):
        plan(parse(site), "onprem", {})


def test_model_and_canary_import_mount_and_serve_it():
    made = graph_of()
    for name in ("chat", "chat-canary"):
        served = made.one("InferenceService", f"{name}-service").inputs["spec"]["predictor"]
        assert [one["name"] for one in served["initContainers"]] == ["storage-initializer", "adapter-sql"]
        assert "sql=/mnt/adapters/sql" in served["model"]["args"]
    jobs = [one for one in made.of("Job") if one.object_name.startswith("import-sql-")]
    assert len({one.object_name for one in jobs}) == 2


def test_callers_reach_it_once_its_model_and_its_canary_are_ready():
    made = graph_of()
    (route,) = [one for one in made.of("HTTPRoute") if one.object_name.endswith("--sql")]
    before = {urn.rpartition("::")[2] for urn in made.before(route)}
    assert {"chat-rollout", "chat-canary-rollout"} <= before
    weights = {one["name"]: one["weight"] for one in route.inputs["spec"]["rules"][0]["backendRefs"]}
    assert weights == {"chat-predictor": 90, "chat-canary-predictor": 10}


def test_its_files_are_in_the_bundle_of_a_site_and_in_the_bill_of_models():
    made = plan_of()
    listed = {one.name: one for one in _models(made)}
    assert [name for name, _, _ in listed["sql"].files] == list(FILES)
    found = json.loads(bills.models(evidence(plan=made)))
    (sql,) = [one for one in found["components"] if one["name"] == "sql"]
    assert sql["licenses"] == [{"license": {"id": "MIT"}}]
    assert {one["name"] for one in sql["components"]} == set(FILES)
    assert {"name": "corral:adapter-of", "value": "chat"} in sql["properties"]


def test_a_stack_file_with_adapters_is_one_by_its_schema():
    from corral.stacks.config.json_schema import schema

    model = {"name": "chat", "model": "qwen3-8b", "adapters": [{**SQL, "rank": 8}], "max-loras": 1}
    whole = {"config": {"corral:platform": stack(models=[model])}}
    jsonschema.validate(whole, schema())
    model["adapters"][0]["ranks"] = 8
    with pytest.raises(jsonschema.ValidationError, match="ranks"):
        jsonschema.validate(whole, schema())
