from dataclasses import replace
from enum import StrEnum
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from tests.components.harness import Probe, build

from corral.catalogue.charts import ChartEntry
from corral.components import _kit, _signals
from corral.components.supply import locate


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(TypedDict):
    size: int


class SampleArgs(TypedDict):
    colour: Colour
    parts: NotRequired[list[Part]]
    passed_on: NotRequired[pulumi.Input[str]]


def entry(source: str = "https://charts.example.eu") -> ChartEntry:
    return ChartEntry(name="sample", version="1.2.3", source=source, namespace="sample")


def test_unknown_and_missing_keys_are_refused_together_with_what_is_allowed():
    with pytest.raises(_kit.ArgsError) as refused:
        _kit.checked({"color": "red"}, SampleArgs, "Sample")
    lines = str(refused.value).splitlines()
    assert lines == [
        "Sample: unknown key 'color'; allowed are colour, parts, passed_on",
        "Sample: 'colour' is missing; allowed are colour, parts, passed_on",
    ]


def test_a_key_inside_a_list_is_named_by_its_place():
    with pytest.raises(_kit.ArgsError, match=r"Sample\.parts\[1\]: unknown key 'sizes'"):
        _kit.checked({"colour": "red", "parts": [{"size": 1}, {"size": 2, "sizes": 3}]}, SampleArgs, "Sample")


def test_an_enum_word_may_be_text_and_a_wrong_one_is_refused_with_the_right_ones():
    assert _kit.checked({"colour": "red"}, SampleArgs, "Sample")
    with pytest.raises(_kit.ArgsError, match=r"Sample\.colour: 'green' is not allowed; use one of red, blue"):
        _kit.checked({"colour": "green"}, SampleArgs, "Sample")


class Sized(TypedDict):
    size_gib: NotRequired[int]
    clients: NotRequired[list[str]]
    namespace: NotRequired[str]
    password: NotRequired[pulumi.Input[str]]
    monitors: NotRequired[bool]
    devices: NotRequired[dict[str, int]]
    registry: NotRequired[str]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("size_gib", "ten", "db.size_gib: 'ten' is not allowed; use a whole number"),
        ("size_gib", True, "db.size_gib: True is not allowed; use a whole number"),
        ("size_gib", 2.5, "db.size_gib: 2.5 is not allowed; use a whole number"),
        ("size_gib", -5, "db.size_gib: -5 is not allowed; use 1 or more"),
        ("clients", "team-a", "db.clients: 'team-a' is not allowed; use a list"),
        ("clients", ["a", 2], "db.clients[1]: 2 is not allowed; use text"),
        ("clients", ["a", "Team A"], "db.clients[1]: 'Team A' is not allowed; use a DNS label"),
        ("namespace", "a/b", "db.namespace: 'a/b' is not allowed; use a DNS label"),
        ("monitors", "yes", "db.monitors: 'yes' is not allowed; use true or false"),
        ("devices", {"gpu": "7"}, "db.devices['gpu']: '7' is not allowed; use a whole number"),
        ("devices", [], "db.devices: [] is not allowed; use a mapping"),
        ("registry", "https://r.example.eu", "db.registry: 'https://r.example.eu' is not allowed; use host"),
        ("password", 5, "db.password: a number is not allowed; use text or an Output"),
    ],
)
def test_a_value_of_a_wrong_type_range_or_name_is_refused_with_its_path(key, value, line):
    with pytest.raises(_kit.ArgsError) as refused:
        _kit.checked({key: value}, Sized, "db")
    (only,) = str(refused.value).splitlines()
    assert only.startswith(line)


def test_an_output_is_taken_where_an_input_is_and_refused_where_text_is_needed():
    def program():
        later = pulumi.Output.from_input("later")
        assert _kit.checked({"password": later}, Sized, "db")
        with pytest.raises(_kit.ArgsError, match=r"db\.namespace: an Output is not allowed; use text"):
            _kit.checked({"namespace": later}, Sized, "db")

    build(program)


def test_whole_numbers_may_come_as_floats_because_packages_send_them_so():
    assert _kit.checked({"size_gib": 10.0, "devices": {"gpu": 1.0}}, Sized, "db")


def test_a_name_that_can_be_no_label_is_refused():
    with pytest.raises(_kit.ArgsError, match="name 'my db' is not allowed; use a label value"):
        _kit.checked({}, Sized, "my db")


def test_a_name_made_from_inputs_changes_with_them_and_not_with_their_order():
    assert _kit.fingerprint({"a": 1, "b": 2}) == _kit.fingerprint({"b": 2, "a": 1})
    assert _kit.fingerprint({"a": 1}) != _kit.fingerprint({"a": 2})


def test_a_chart_folder_of_the_supply_wins_over_the_upstream_source(tmp_path):
    (tmp_path / "sample").mkdir()
    assert locate(entry(), {"charts": str(tmp_path)}) == {"chart": str(tmp_path / "sample")}


def test_a_chart_that_the_folder_lacks_comes_pinned_from_upstream(tmp_path):
    assert locate(entry(), {"charts": str(tmp_path)}) == {
        "chart": "sample",
        "version": "1.2.3",
        "repository": "https://charts.example.eu",
    }


def test_an_oci_chart_is_referenced_with_its_name():
    assert locate(entry("oci://registry.example.eu/charts"), {})["chart"] == (
        "oci://registry.example.eu/charts/sample"
    )


def test_with_a_mirror_a_chart_comes_from_there_by_its_digest():
    digest = f"sha256:{'d' * 64}"
    mirrored = replace(entry("oci://ghcr.io/org/charts"), digest=digest)
    assert locate(mirrored, {"registry": "registry.example.eu/mirror"}) == {
        "chart": f"oci://registry.example.eu/mirror/org/charts/sample@{digest}",
        "version": "1.2.3",
    }


def test_a_chart_of_a_plain_repository_lies_below_charts_of_the_mirror():
    assert locate(entry(), {"registry": "registry.example.eu/mirror"})["chart"] == (
        "oci://registry.example.eu/mirror/charts/sample"
    )


def test_a_chart_is_a_release_of_its_pinned_version():
    def program():
        _kit.install(Probe("p"), "p-chart", entry(), {"a": {"b": 1}}, namespace="sample", supply={})

    installed = build(program).one("kubernetes:helm.sh/v3:Release")
    assert installed.inputs["values"] == {"a": {"b": 1}}
    assert installed.inputs["version"] == "1.2.3", "an unpinned chart changes under us"
    assert installed.parent.endswith("::p")


def test_a_namespace_enforces_the_restricted_level_unless_told_otherwise():
    graph = build(lambda: _kit.namespace(Probe("p"), "p-ns", "space", component="model"))
    labels = graph.one("Namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["corral.dev/component"] == "model"


def test_a_child_takes_provider_and_protection_from_its_parent_alone():
    class Parent(pulumi.ComponentResource):
        def __init__(self, name: str, opts: pulumi.ResourceOptions):
            super().__init__("test:index:Parent", name, {}, opts)
            _kit.namespace(self, f"{name}-ns", "space", component="model")
            self.register_outputs({})

    def program():
        cluster = kubernetes.Provider("cluster", kubeconfig="{}")
        Parent("p", pulumi.ResourceOptions(provider=cluster, aliases=[pulumi.Alias(name="old")]))

    graph = build(program)
    assert "::cluster::" in graph.one("Namespace").provider


def test_an_alert_rule_carries_its_severity_and_summary():
    alert: _signals.Alert = {
        "name": "Down",
        "expression": "up == 0",
        "lasting": "5m",
        "severity": "critical",
        "summary": "It is down.",
    }

    signals = _signals.Signals("Probe", (), (alert,))

    def program():
        _signals.watch(
            Probe("p"), "p", lambda _: signals, component="probe", namespace="n", args={"monitors": True}
        )

    rule = build(program).one("PrometheusRule")
    assert rule.object_name == "corral-probe"
    assert rule.inputs["metadata"]["labels"] == _kit.labels("probe", "p")
    (group,) = rule.inputs["spec"]["groups"]
    assert group["rules"] == [
        {
            "alert": "Down",
            "expr": "up == 0",
            "for": "5m",
            "labels": {"severity": "critical"},
            "annotations": {"summary": "It is down.", "runbook": "docs/alerts.md#down"},
        }
    ]
