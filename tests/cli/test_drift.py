"""What somebody deleted or scaled by hand, told from a stack's state, its Helm releases and the cluster."""

import base64
import gzip
import json
import subprocess
from dataclasses import dataclass, field

import pytest

from corral.embedded.engine import drift

MANIFEST = """\
---
# Source: chart/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: manager, namespace: kserve}
spec: {template: {}}
---
apiVersion: v1
kind: ConfigMap
data: {"spec": "no object"}
metadata:
  name: settings
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: manager}
rules: []
---
# As Kueue's chart has it.
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: webhook, namespace: kserve}
webhooks: []
"""


def made(kind, id, api_version="v1", spec=None, **more):
    """A resource of an exported state."""
    inputs = {"apiVersion": api_version, "kind": kind, "metadata": {"name": id.rpartition("/")[2]}}
    known = {"urn": f"urn::{id}", "type": f"kubernetes:core/v1:{kind}", "custom": True, "id": id}
    return {**known, "inputs": {**inputs, "spec": spec or {}}, **more}


RELEASE = {
    "urn": "urn::chart",
    "type": "kubernetes:helm.sh/v3:Release",
    "custom": True,
    "id": "kserve/resources",
    "inputs": {"name": "resources", "namespace": "kserve"},
}
OURS = [
    made("Namespace", "kserve"),
    made("Deployment", "team/web", "apps/v1", {"replicas": 2}),
    made("StatefulSet", "team/store", "apps/v1"),
    RELEASE,
]
WHOLE = """\
v1 Namespace <none> kserve <none>
apps/v1 Deployment team web 2
apps/v1 StatefulSet team store 1
apps/v1 Deployment kserve manager 1
v1 ConfigMap kserve settings <none>
rbac.authorization.k8s.io/v1 ClusterRole <none> manager <none>
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration <none> webhook <none>
v1 ConfigMap elsewhere settings <none>
"""


def stored(name="resources", namespace="kserve", version=3, manifest=MANIFEST):
    content = {"name": name, "namespace": namespace, "version": version, "manifest": manifest}
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode()))
    return {"data": {"release": base64.b64encode(packed).decode()}}


@dataclass
class Cluster:
    """Answers as kubectl does."""

    lines: str = WHOLE
    releases: list = field(default_factory=lambda: [stored(), stored("theirs", "theirs")])
    unserved: str = ""
    down: bool = False

    def run(self, arguments, stdin=""):
        if self.down:
            return subprocess.CompletedProcess([], 1, "", "E1127 retry\nThe connection was refused\n")
        if arguments[1] == "secrets":
            return subprocess.CompletedProcess([], 0, json.dumps({"items": self.releases}), "")
        kinds = [one.partition(".")[0] for one in arguments[1].split(",")]
        if self.unserved in kinds:
            message = f'error: the server doesn\'t have a resource type "{self.unserved}"'
            return subprocess.CompletedProcess([], 1, "", message)
        lines = [line for line in self.lines.splitlines(keepends=True) if line.split()[1] in kinds]
        return subprocess.CompletedProcess([], 0, "".join(lines), "")


def reported(cluster, resources=OURS):
    return [str(one) for one in drift.differences(cluster, {"deployment": {"resources": resources}})]


def without(text):
    return "".join(line for line in WHOLE.splitlines(keepends=True) if text not in line)


def test_a_cluster_that_has_everything_differs_in_nothing():
    assert reported(Cluster()) == []


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("Deployment team web", "Deployment team/web is missing"),
        ("Namespace", "Namespace kserve is missing"),
        ("Deployment kserve manager", "Deployment kserve/manager is missing"),
        ("ConfigMap kserve", "ConfigMap settings is missing"),
        ("ClusterRole", "ClusterRole manager is missing"),
        ("Webhook", "MutatingWebhookConfiguration kserve/webhook is missing"),
    ],
)
def test_what_is_gone_is_missing_whoever_made_it(gone, message):
    assert reported(Cluster(without(gone))) == [message]


def test_another_number_of_replicas_is_said_with_the_stated_one():
    scaled = WHOLE.replace("team web 2", "team web 0").replace("kserve manager 1", "kserve manager 4")
    assert reported(Cluster(scaled)) == [
        "Deployment team/web is scaled to 0, 2 are stated",
        "Deployment kserve/manager is scaled to 4, 1 are stated",
    ]


def test_a_type_that_is_gone_takes_its_objects_along_and_hides_no_other():
    assert reported(Cluster(without("ClusterRole"), unserved="ClusterRole")) == [
        "ClusterRole manager is missing"
    ]


def test_what_the_stack_only_reads_or_patches_and_releases_of_others_are_not_its_own():
    read = made("Namespace", "theirs", external=True)
    patch = made("Node", "node", type="kubernetes:core/v1:NodePatch")
    old = made("Secret", "team/replaced", delete=True)
    assert reported(Cluster(), [*OURS, read, patch, old]) == []
    assert reported(Cluster(without("manager")), OURS[:3]) == []


def test_a_release_is_restored_at_its_own_revision_and_a_workload_to_its_own_replicas():
    scaled = WHOLE.replace("kserve manager 1", "kserve manager 0")
    (one,) = drift.differences(Cluster(scaled), {"deployment": {"resources": OURS}})
    assert one.scaling == ["scale", "Deployment/manager", "--namespace=kserve", "--replicas=1"]
    assert one.stated.release.restoring[:4] == ["rollback", "resources", "3", "--namespace"]


def test_a_cluster_that_does_not_answer_is_one_line():
    with pytest.raises(drift.Unreadable, match=r"^The connection was refused$"):
        reported(Cluster(down=True))
