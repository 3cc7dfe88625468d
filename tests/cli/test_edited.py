"""What somebody edited of objects of Helm releases, as `corral drift` names it."""

import copy
import json
import subprocess

import pytest
import yaml
from tests.cli.test_compare import checkout, says  # noqa: F401
from tests.cli.test_drift import Cluster, stored

from corral.cli.main import main
from corral.embedded.engine import drift, edited
from corral.embedded.engine.changes import PropertyChange

OURS = frozenset({("kserve", "resources")})
MANIFEST = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: manager}
spec:
  replicas: 1
  template:
    metadata: {annotations: {}}
    spec:
      hostNetwork: false
      nodeSelector:
      containers:
        - name: manager
          image: registry.example.eu/manager:v1
          args: [--secure]
          env: [{name: TOKEN, value: one}, {name: EMPTY, value: ""}]
          resources: {limits: {cpu: 0.5, memory: 1024Mi}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: manager}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everything}
aggregationRule: {clusterRoleSelectors: []}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: manager, namespace: other}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: manager}
subjects: [{kind: ServiceAccount, name: manager, namespace: kserve}]
"""
DEFAULTED = """
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: manager, namespace: kserve, uid: a}
  spec:
    replicas: 3
    strategy: {type: RollingUpdate}
    template:
      metadata: {}
      spec:
        containers:
          - name: injected
          - name: manager
            image: registry.example.eu/manager:v1
            imagePullPolicy: IfNotPresent
            args: [--secure]
            env: [{name: TOKEN, value: one}, {name: EMPTY}, {name: ADDED, value: by a webhook}]
            resources: {limits: {cpu: 500m, memory: 1Gi}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: manager}
  rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: everything}
  rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: manager, namespace: other}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: manager}
  subjects: [{apiGroup: "", kind: ServiceAccount, name: manager, namespace: kserve}]
"""
"""The same as the server has it, scaled."""


class Listing:
    """Answers as kubectl does."""

    def __init__(self, items):
        self.items = items

    def run(self, arguments, stdin=""):
        assert arguments[0] == "get" and set(arguments[1].split(",")) == {
            resource for resource, _ in edited.COMPARED.values()
        }
        return subprocess.CompletedProcess([], 0, json.dumps({"items": self.items}), "")


@pytest.fixture
def items():
    return copy.deepcopy(yaml.safe_load(DEFAULTED))


def told(items, ours=OURS):
    return {
        one.title: one
        for one in edited.changes(Listing(items), drift.contents(ours, [stored(manifest=MANIFEST)]))
    }


def container(items):
    return items[0]["spec"]["template"]["spec"]["containers"][1]


def test_what_the_server_and_webhooks_filled_in_is_no_edit_nor_is_a_number_of_replicas(items):
    assert told(items) == {}


PLACE = "spec.template.spec.containers[0]"


@pytest.mark.parametrize(
    ("edit", "change"),
    [
        (
            {"image": "elsewhere/manager:v1"},
            PropertyChange(f"{PLACE}.image", "registry.example.eu/manager:v1", "elsewhere/manager:v1"),
        ),
        (
            {"args": ["--secure", "--debug"]},
            PropertyChange(f"{PLACE}.args", ["--secure"], ["--secure", "--debug"]),
        ),
        (
            {"resources": {"limits": {"cpu": "2", "memory": "1Gi"}}},
            PropertyChange(f"{PLACE}.resources.limits.cpu", 0.5, "2"),
        ),
        (
            {"env": [{"name": "TOKEN", "value": "two"}, {"name": "EMPTY"}]},
            PropertyChange(f"{PLACE}.env[0].value", edited.HIDDEN, edited.HIDDEN),
        ),
    ],
    ids=["image", "arguments", "resources", "a variable, without its value"],
)
def test_an_edited_container_is_named_with_both_values(items, edit, change):
    container(items).update(edit)
    named = told(items)
    assert named.keys() == {"Deployment kserve/manager"}
    assert named["Deployment kserve/manager"].properties == (change,)


def test_widened_rights_and_bindings_are_named(items):
    items[1]["rules"].append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})
    items[3]["subjects"][0]["namespace"] = "elsewhere"
    named = told(items)
    assert named.keys() == {"ClusterRole manager", "RoleBinding other/manager"}
    assert named["ClusterRole manager"].properties[0].path == "rules"
    (bound,) = named["RoleBinding other/manager"].properties
    assert bound == PropertyChange("subjects[0].namespace", "kserve", "elsewhere")


def test_what_is_missing_and_releases_of_others_are_left_out(items):
    assert told([]) == {}
    container(items)["image"] = "elsewhere"
    assert told(items, ours=frozenset({("kserve", "another")})) == {}


def test_a_cluster_that_does_not_answer_is_unreadable():
    with pytest.raises(drift.Unreadable, match="refused"):
        list(edited.changes(Cluster(down=True), drift.contents(OURS, [stored()])))


KUBECTL = """#!/bin/sh
case "$*" in
  *"get secrets"*) cat secrets ;;
  *custom-columns*) cat lines ;;
  *) cat live ;;
esac
"""


def test_drift_names_an_edit_beside_what_is_missing_and_exits_with_3(checkout, capsys, items):  # noqa: F811
    kubectl = checkout / "bin" / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    container(items)["image"] = "elsewhere/manager:v1"
    rights = "rbac.authorization.k8s.io/v1"
    lines = ["apps/v1 Deployment kserve manager 1", f"{rights} ClusterRole <none> manager <none>"]
    lines.append(f"{rights} ClusterRole <none> everything <none>")
    texts = {
        "lines": "".join(f"{one}\n" for one in lines),
        "secrets": json.dumps({"items": [stored(manifest=MANIFEST)]}),
        "live": json.dumps({"items": items[:3]}),
    }
    for name, text in texts.items():
        (checkout / name).write_text(text)
    inputs = {"name": "resources", "namespace": "kserve"}
    says(checkout, resources=[{"urn": "urn::r", "type": "kubernetes:helm.sh/v3:Release", "inputs": inputs}])
    assert main(["drift", "-s", "mine", "--json"]) == 3
    changes = json.loads(capsys.readouterr().out)["changes"]
    named = {(one["object"], one["operation"], len(one["properties"])) for one in changes}
    assert named == {("other/manager", "delete", 0), ("kserve/manager", "update", 1)}
