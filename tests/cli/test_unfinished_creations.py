"""What an interrupted run had created is the stack's, and is there for the next refresh."""

import json
import subprocess

import pytest

from corral.embedded.engine.creations import taken_over

PARENT = {"urn": "urn:pulumi:dev::corral::C::c", "type": "corral:index:C"}
OURS, THEIRS = "pulumi-kubernetes-4b45adf7", "pulumi-kubernetes-da678578"


class Cluster:
    """A kubectl that knows the managers of some objects."""

    def __init__(self, **managers):
        self.managers, self.asked = managers, []

    def run(self, arguments, stdin=""):
        self.asked.append(arguments)
        name = arguments[2]
        if name not in self.managers:
            return subprocess.CompletedProcess(arguments, 0, "", "")
        fields = [{"manager": one} for one in self.managers[name]]
        text = json.dumps({"metadata": {"name": name, "managedFields": fields}})
        return subprocess.CompletedProcess(arguments, 0, text, "")


def operation(name, kind="creating", of="kubernetes:core/v1:Namespace", space=None):
    metadata = {"name": name} if space is None else {"name": name, "namespace": space}
    inputs = {"apiVersion": "v1", "kind": of.rpartition(":")[2], "metadata": metadata}
    resource = {"urn": f"urn:pulumi:dev::corral::{of}::{name}", "type": of, "custom": True, "inputs": inputs}
    return {"type": kind, "resource": resource}


def state(*operations):
    return {"version": 3, "deployment": {"resources": [PARENT], "pending_operations": list(operations)}}


def test_what_was_created_is_taken_over_with_the_manager_of_its_fields_behind_what_was_there():
    cluster = Cluster(tenants=["kubectl", OURS], rights=[OURS])
    rights = operation("rights", of="kubernetes:rbac.authorization.k8s.io/v1:Role", space="tenants")
    rights["resource"]["inputs"]["apiVersion"] = "rbac.authorization.k8s.io/v1"
    made = taken_over(state(operation("tenants"), rights), cluster)
    first, second, third = made["deployment"]["resources"]
    assert first == PARENT
    assert (second["id"], second["outputs"]) == ("tenants", {"__fieldManager": OURS})
    assert (third["id"], third["outputs"]) == ("tenants/rights", {"__fieldManager": OURS})
    assert made["deployment"]["pending_operations"] == []
    assert [one[1] for one in cluster.asked] == ["Namespace.v1.", "Role.v1.rbac.authorization.k8s.io"]
    assert "--namespace=tenants" in cluster.asked[1]


@pytest.mark.parametrize(
    "pending",
    [
        operation("absent"),
        operation("tenants", kind="updating"),
        operation("tenants", of="kubernetes:core/v1:NamespacePatch"),
        operation("tenants", of="kubernetes:helm.sh/v3:Release"),
        operation("tenants", of="aws:s3/bucket:Bucket"),
        operation("shared"),
        operation("kubectls"),
    ],
    ids=["absent", "updating", "patch", "release", "cloud", "also another stack's", "nobody's of Pulumi"],
)
def test_all_else_stays_pending(pending):
    cluster = Cluster(tenants=[OURS], shared=[OURS, THEIRS], kubectls=["kubectl"])
    assert taken_over(state(pending), cluster) is None


def test_what_the_state_has_already_is_not_taken_twice():
    pending = operation("tenants")
    stated = state(pending)
    stated["deployment"]["resources"].append(pending["resource"])
    assert taken_over(stated, Cluster(tenants=[OURS])) is None
