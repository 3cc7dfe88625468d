"""What `up` would change, what was changed by hand: by a Pulumi that tells events as the real one does."""

import json
import os
from pathlib import Path

import pytest
from tests.cli.documents import validate

from corral.cli.main import main
from corral.embedded.engine.changes import LATER, Collector, PropertyChange, compared

STACK_FILE = """config:
  corral:platform:
    sovereignty: {profile: open, region: embedded}
    cluster: {kind: existing, kubeconfig: nowhere}
"""
STACK = "urn:pulumi:mine::corral::pulumi:pulumi:Stack::corral-mine"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
PULUMI = """#!/bin/sh
echo "$@" >> calls
if [ "$2" = export ]; then cat state.json; exit 0; fi
while [ "$1" != --event-log ]; do shift; done
cat events > "$2"
exit $(cat code)
"""


def done(operation, kind, name, old=None, new=None, *, custom=True, **more):
    """One step of a preview."""
    kinds = kind.rpartition("/")[2].rpartition(":")[2]
    states = {
        key: {"custom": custom, "id": name if key == "old" else "", "inputs": inputs, "outputs": inputs}
        for key, inputs in (("old", old), ("new", new))
        if inputs is not None
    }
    step = {"op": operation, "urn": f"urn::{kinds}::{name}", "type": kind, **states, **more}
    return {"resOutputsEvent": {"planning": True, "metadata": step}}


def outputs(old, new):
    states = {"old": {"outputs": old}, "new": {"outputs": new}}
    step = {"op": "same", "urn": STACK, "type": "pulumi:pulumi:Stack", **states}
    return {"resOutputsEvent": {"planning": True, "metadata": step}}


DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SCALED = done(
    "update",
    DEPLOYMENT,
    "team/web",
    {"spec": {"replicas": 2, "paused": False}},
    {"spec": {"replicas": 0, "paused": False}},
    diffs=["spec"],
)
SAME = done("same", "kubernetes:core/v1:Namespace", "team", {}, {})
GONE = done("delete", "kubernetes:policies.kyverno.io/v1:ValidatingPolicy", "signed", {"spec": {}})
OWNED = {"urn": "urn::Deployment::team/web", "type": DEPLOYMENT, "custom": True, "inputs": {}}


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    (tmp_path / "Pulumi.mine.yaml").write_text(STACK_FILE)
    (tmp_path / "nowhere").touch()
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(PULUMI)
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    says(tmp_path)
    return tmp_path


def says(folder, *events, code=0, resources=(OWNED,)):
    """What the Pulumi of `folder` tells from now on."""
    (folder / "events").write_text("".join(json.dumps(one) + "\n" for one in events))
    (folder / "code").write_text(str(code))
    (folder / "state.json").write_text(json.dumps({"deployment": {"resources": list(resources)}}))


def document(capsys, *arguments, code):
    assert main([*arguments, "-s", "mine", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    validate(told)
    return told


@pytest.mark.parametrize("command", ["diff", "drift"])
def test_nothing_that_differs_exits_with_0(checkout, capsys, command):
    says(checkout, SAME)
    assert main([command, "-s", "mine"]) == 0
    assert capsys.readouterr().out.endswith("nothing\n")


@pytest.mark.parametrize("command", ["diff", "drift"])
def test_what_differs_is_named_with_both_values_and_exits_with_3(checkout, capsys, command):
    says(checkout, SCALED, SAME, GONE)
    assert main([command, "-s", "mine"]) == 3
    said = capsys.readouterr().out
    assert "~ Deployment team/web\n    spec.replicas: 2 → 0\n- ValidatingPolicy signed\n" in said
    assert "paused" not in said and said.endswith("2 objects\n")


@pytest.mark.parametrize(("command", "kind"), [("diff", "Diff"), ("drift", "Drift")])
def test_the_document_has_objects_and_properties(checkout, capsys, command, kind):
    says(checkout, SCALED, GONE)
    told = document(capsys, command, code=3)
    assert (told["kind"], told["stack"]) == (kind, "mine")
    assert [(one["operation"], one["object"]) for one in told["changes"]] == [
        ("update", "team/web"),
        ("delete", "signed"),
    ]
    assert told["changes"][0]["properties"] == [{"path": "spec.replicas", "old": 2, "new": 0}]


@pytest.mark.parametrize("command", ["diff", "drift"])
def test_a_pulumi_that_fails_is_no_difference_and_exits_with_1(checkout, capsys, command):
    message = {"severity": "error", "message": "no credentials", "urn": ""}
    says(checkout, SCALED, {"diagnosticEvent": message}, code=255)
    assert main([command, "-s", "mine"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and "error: no credentials" in said.err and "nothing was compared" in said.err


def test_drift_only_reads(checkout, capsys):
    says(checkout)
    main(["drift", "-s", "mine"])
    export, refresh = (checkout / "calls").read_text().splitlines()
    assert export.startswith("stack export ") and refresh.startswith("refresh --preview-only ")


def test_the_policies_are_on_in_a_diff(checkout, capsys):
    (checkout / "policy").mkdir()
    (checkout / "policy" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    main(["diff", "-s", "mine"])
    assert f"preview --policy-pack {checkout / 'policy'}" in (checkout / "calls").read_text()


def test_an_object_that_the_stack_only_reads_may_change_and_may_not_go(checkout, capsys):
    read = {**OWNED, "external": True}
    says(checkout, SCALED, resources=[read])
    assert main(["drift", "-s", "mine"]) == 0
    says(checkout, done("delete", DEPLOYMENT, "team/web", {}), resources=[read])
    assert main(["drift", "-s", "mine"]) == 3


def test_drift_of_a_stack_that_was_never_up_names_the_command(checkout, capsys):
    says(checkout, resources=[])
    assert main(["drift", "-s", "mine"]) == 1
    assert "`corral up -s mine` first" in capsys.readouterr().err


def test_drift_of_releases_on_another_cluster_than_theirs_is_refused(checkout, capsys, monkeypatch):
    kubectl = checkout / "bin" / "kubectl"
    kubectl.write_text("#!/bin/sh\necho '{\"items\": []}'\n")
    kubectl.chmod(0o755)
    inputs = {"name": "kyverno", "namespace": "kyverno"}
    release = {"urn": "urn::Release::kyverno", "type": "kubernetes:helm.sh/v3:Release", "inputs": inputs}
    says(checkout, resources=[release])
    assert main(["drift", "-s", "mine"]) == 1
    assert "has no deployed Helm release kyverno/kyverno" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["diff", "drift"])
def test_an_embedded_stack_whose_plane_is_not_there_names_the_command(checkout, capsys, command):
    file = checkout / "Pulumi.mine.yaml"
    file.write_text(STACK_FILE.replace("existing, kubeconfig: nowhere", "embedded"))
    assert main([command, "-s", "mine"]) == 1
    assert "corral up" in capsys.readouterr().err


def changes(*events):
    collector = Collector()
    for one in events:
        collector.handle(one)
    return collector.changes


def test_a_component_and_one_half_of_a_replacement_are_no_changes_of_their_own():
    replaced = ({"bucket": "a"}, {"bucket": "b"})
    told = changes(
        done("create", "corral:index:KServe", "kserve", None, {}, custom=False),
        done("create-replacement", "aws:s3/bucket:Bucket", "store", *replaced),
        done("replace", "aws:s3/bucket:Bucket", "store", *replaced),
        done("delete-replaced", "aws:s3/bucket:Bucket", "store", replaced[0]),
        done("refresh", "aws:s3/bucket:Bucket", "other", *replaced),
    )
    assert [(one.operation, one.title) for one in told] == [("replace", "Bucket store")]


def test_what_is_read_and_not_written_is_compared_where_inputs_are_the_same():
    step = done("update", "aws:eks/cluster:Cluster", "models", {"a": 1}, {"a": 1}, diffs=["status"])
    states = step["resOutputsEvent"]["metadata"]
    states["old"]["outputs"], states["new"]["outputs"] = {"status": "ACTIVE"}, {"status": "FAILED"}
    assert changes(step)[0].properties == (PropertyChange("status", "ACTIVE", "FAILED"),)


def test_a_secret_that_changes_is_named_and_never_shown():
    masked = {"data": "[secret]", "kind": "Secret"}
    step = done("update", "kubernetes:core/v1:Secret", "team/key", masked, dict(masked), diffs=["data"])
    assert changes(step)[0].properties == (PropertyChange("data", "[secret]", "[secret]"),)


def test_outputs_that_change_are_a_change_of_the_stack():
    (one,) = changes(outputs({"url": "a"}, {}), outputs({"url": "a"}, {"url": UNKNOWN}))
    assert (one.title, one.properties) == ("Stack outputs", (PropertyChange("url", "a", LATER),))
    assert changes(outputs({"url": "a"}, {}), outputs({"url": "a"}, {"url": "a"})) == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}}, [("tags.b", None, "2")]),
        ({"rules": [{"port": 1}]}, {"rules": [{"port": 2}]}, [("rules[0].port", 1, 2)]),
        ({"zones": ["a"]}, {"zones": ["a", "b"]}, [("zones", ["a"], ["a", "b"])]),
        ({"__defaults": []}, {"__defaults": ["x"]}, []),
        ({"key": {"a": 1}}, {"key": "text"}, [("key", {"a": 1}, "text")]),
    ],
)
def test_the_innermost_property_is_named(old, new, told):
    assert [(one.path, one.old, one.new) for one in compared(old, new)] == told
