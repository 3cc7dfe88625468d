"""A recognisable value in every secret of a stack is in Secrets of Kubernetes, marked, and nowhere else."""

import json
from typing import Any

import pulumi
import pytest
from tests.components.harness import Graph, build
from tests.deploy.test_platform import content, started

from corral.stacks.config.loader import parse
from corral.stacks.config.stack_config import SECRETS
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan

CANARY = "canary-9f27"


def canary(key: str, index: int) -> str:
    """A value for a secret, in the form that it must have."""
    if key == "registry-auth":
        return json.dumps({"auths": {"registry.example.eu": {"auth": f"{CANARY}-{index}"}}})
    if key == "storage-encryption-key":
        return f"{index:02x}c0ffee" * 8
    if key == "alerts-url":
        return f"https://alerts.example.eu/{CANARY}-{index}"
    return f"{CANARY}-{index}"


def everything() -> dict[str, Any]:
    """The committed dev stack with each section that has a secret."""
    stack: dict[str, Any] = content()
    stack["sovereignty"] |= {"registry": "registry.example.eu/mirror", "pull-secret": "mirror"}
    stack["model-sources"] = [
        {"name": "intake", "url": "s3://intake", "endpoint": "https://s3.example.eu", "region": "fra-1"},
    ]
    stack["models"][0]["source"] = "s3://intake/smollm2"
    stack["gateway"] = {"host": "models.example.eu"}
    stack["token-limits"] = {"tokens-per-day": 1000000}
    stack["observability"]["alerts"] = "slack"
    return stack


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(parse(everything()), "dev")


@pytest.fixture(scope="module")
def planted(planned: Plan) -> dict[str, str]:
    return {key: canary(key, index) for index, key in enumerate(planned.secrets_needed)}


@pytest.fixture(scope="module")
def graph(planned: Plan, planted: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Graph:
    def program() -> None:
        for name, value in Platform(planned).outputs.items():
            pulumi.export(name, value)

    with pytest.MonkeyPatch.context() as patch:
        started(tmp_path_factory.mktemp("canaries"), patch)
        config = {f"corral:{key}": one for key, one in planted.items()}
        return build(program, secret_config=config, stack="dev")


def searched(planted: dict[str, str]) -> dict[str, str]:
    """What is looked for: the part of each value that is the secret."""
    return {
        key: json.loads(one)["auths"]["registry.example.eu"]["auth"] if key == "registry-auth" else one
        for key, one in planted.items()
    }


def test_every_kind_of_secret_is_planted(planted: dict[str, str]) -> None:
    static = set(SECRETS) - {"vector-db-api-key"}
    assert planted.keys() == static | {"source-intake-access-key", "source-intake-secret-key"}
    assert len(set(searched(planted).values())) == len(planted)


def test_a_planted_secret_is_in_marked_data_of_secrets_and_nowhere_else(
    graph: Graph, planted: dict[str, str]
) -> None:
    for key, word in searched(planted).items():
        holders = [one for one in graph if word in json.dumps(one.inputs)]
        assert holders, f"{key} is used by nothing"
        for one in holders:
            assert one.kind == "Secret" and "stringData" in one.secrets, f"{key}: {one.urn}"
            rest = {name: value for name, value in one.inputs.items() if name != "stringData"}
            assert word not in json.dumps(rest), f"{key}: {one.urn}"
        assert [one.urn for one in graph if word in json.dumps(one.outputs, default=str)] == []
