"""A container's environment as the kubelet makes it."""

import base64

import pytest

from corral.embedded.node.environment import environment, expand
from corral.embedded.node.sources import Missing, Sources

POD = {
    "metadata": {"name": "p", "namespace": "llm", "uid": "u", "labels": {"app": "x"}},
    "spec": {
        "nodeName": "n0",
        "containers": [
            {
                "name": "c",
                "resources": {"limits": {"cpu": "1500m", "memory": "2Gi"}, "requests": {"cpu": "1"}},
            }
        ],
    },
}


def resolve(container: dict, secrets=None, config_maps=None) -> dict[str, str]:
    encoded = {
        ("llm", name): {"data": {k: base64.b64encode(v.encode()).decode() for k, v in content.items()}}
        for name, content in (secrets or {}).items()
    }
    maps = {("llm", name): {"data": content} for name, content in (config_maps or {}).items()}
    sources = Sources(encoded, maps, {}, {}, {}, {})
    return environment(POD, {"name": "c", **container}, sources, {"status.podIP": "127.97.1.1"})


def test_variables_expand_earlier_ones_and_leave_unknown_ones():
    env = [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "$(A)/$(C)/$$(A)"},
        {"name": "C", "value": "3"},
    ]
    assert resolve({"env": env}) == {"A": "1", "B": "1/$(C)/$(A)", "C": "3"}
    assert expand("$(A)$", {"A": "x"}) == "x$"


def test_env_wins_over_env_from():
    container = {
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "m"}}, {"secretRef": {"name": "s"}}],
        "env": [{"name": "k", "value": "own"}],
    }
    variables = resolve(container, secrets={"s": {"k": "secret"}}, config_maps={"m": {"a": "1"}})
    assert variables == {"P_a": "1", "k": "own"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "llm"),
        ("metadata.labels['app']", "x"),
        ("spec.nodeName", "n0"),
        ("spec.serviceAccountName", "default"),
        ("status.podIP", "127.97.1.1"),
    ],
)
def test_field_references(path, value):
    assert resolve({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": path}}}]}) == {"A": value}


def test_an_unknown_field_is_an_error_that_lists_the_known_ones():
    env = [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.priority"}}}]
    with pytest.raises(ValueError, match=r"spec\.priority.*metadata\.name"):
        resolve({"env": env})


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", None, "2"),
        ("limits.cpu", "1m", "1500"),
        ("limits.memory", "1Mi", "2048"),
        ("requests.cpu", "1", "1"),
    ],
)
def test_resource_references_are_divided_and_rounded_up(resource, divisor, value):
    reference = {"resource": resource, **({"divisor": divisor} if divisor else {})}
    assert resolve({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": reference}}]}) == {"A": value}


@pytest.mark.parametrize("kind", ["secretKeyRef", "configMapKeyRef"])
def test_a_missing_object_or_key_is_waited_for_unless_it_is_optional(kind):
    def env(name: str, optional: bool):
        reference = {"name": name, "key": "k", "optional": optional}
        return {"env": [{"name": "A", "valueFrom": {kind: reference}}]}

    there = {"secrets": {"there": {}}, "config_maps": {"there": {}}}
    for name in ("absent", "there"):
        with pytest.raises(Missing, match="not found"):
            resolve(env(name, False), **there)
        assert resolve(env(name, True), **there) == {}
