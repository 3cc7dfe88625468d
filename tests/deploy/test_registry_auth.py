"""The credentials of the mirror in the namespaces that a stack makes."""

import json

import pulumi
import pytest
from tests.components.harness import build
from tests.deploy.test_platform import SECRETS, content, plane  # noqa: F401

from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan

WITHOUT_PODS = "corral-evidence"
AUTH = json.dumps({"auths": {"registry.example.eu": {"auth": "canary-registry"}}})


def mirrored(auth: str | None = AUTH, **addons: str):
    stack = content()
    stack["sovereignty"] |= {"registry": "registry.example.eu/mirror", "pull-secret": "mirror"}
    if addons:
        stack["addons"] = {**stack.get("addons", {}), **addons}
    given = SECRETS if auth is None else {**SECRETS, "corral:registry-auth": auth}
    made = plan(parse(stack), "dev")
    return build(lambda: Platform(made), secret_config=given, stack="dev")


@pytest.fixture
def graph(plane):  # noqa: F811
    return mirrored()


def pull_secrets(graph) -> dict:
    return {one.namespace: one for one in graph.of("Secret") if one.object_name == "mirror"}


def test_every_namespace_of_the_stack_has_the_pull_secret_that_its_pods_name(graph):
    namespaces = {one.object_name for one in graph.of("Namespace")} - {WITHOUT_PODS}
    assert namespaces and pull_secrets(graph).keys() == namespaces
    for one in pull_secrets(graph).values():
        assert one.inputs["type"] == "kubernetes.io/dockerconfigjson"
        assert json.loads(one.inputs["stringData"][".dockerconfigjson"]) == json.loads(AUTH)


def test_the_credentials_of_the_mirror_stay_marked(graph):
    secrets = pull_secrets(graph).values()
    assert secrets
    for one in secrets:
        assert any(path.startswith("stringData") for path in one.secrets)
    leaks = [
        one.name for one in graph if "canary-registry" in str(one.inputs) and one.object_name != "mirror"
    ]
    assert leaks == []


def test_the_pull_secret_is_there_before_anything_that_makes_pods(graph):
    secrets = pull_secrets(graph)
    makers = [
        one
        for one in graph
        if one.kind in ("Release", "StatefulSet", "Deployment", "Job", "InferenceService") and not one.read
    ]
    assert len(makers) > 5
    spaces = {one.urn: one.inputs.get("namespace") or one.namespace for one in makers}
    in_stack = [one for one in makers if spaces[one.urn] in secrets]
    assert len(in_stack) > 5
    for one in in_stack:
        assert secrets[spaces[one.urn]].urn in graph.before(one), one.name


def test_a_stack_with_a_pull_secret_asks_for_the_credentials_by_name(plane):  # noqa: F811
    with pytest.raises(pulumi.RunError, match="corral:registry-auth"):
        mirrored(auth=None)


def test_credentials_in_another_form_are_refused_and_not_repeated(plane):  # noqa: F811
    with pytest.raises(pulumi.RunError, match=r"corral:registry-auth.*`auths`") as refused:
        mirrored(auth='{"username": "canary"}')
    assert "canary" not in str(refused.value)


def test_a_stack_without_a_pull_secret_needs_no_credentials():
    stack = content()
    assert "registry-auth" not in plan(parse(stack), "dev").secrets_needed
    stack["sovereignty"] |= {"registry": "registry.example.eu/mirror", "pull-secret": "mirror"}
    assert plan(parse(stack), "dev").secrets_needed[-1] == "registry-auth"
