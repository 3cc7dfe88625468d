"""Single components in a program of one's own, on a cluster where others have been before."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.door.newcomer import newcomer_in
from tests.door.test_existing_cluster import Cluster

from corral.components._kit import fingerprint

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes
from corral.components.gpu_node_pool import ExistingGpuNodePool
from corral.components.model.rollout import revision_annotations, rolled_out
from corral.components.tenancy import Tenancy
from corral.components.vector_db import VectorDatabase

cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig={kubeconfig!r}))
"""
COLLEAGUE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "colleague"}, "data": {"a": "b"}}


class Programs:
    """Programs of somebody who has installed Corral and imports components of it."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.somebody = replace(cluster.newcomer, checkout=folder)
        (folder / "Pulumi.yaml").write_text("name: own\nruntime: python\n")

    def pulumi(self, stack, line, *command):
        """Run a Pulumi command on a program whose last line is `line`."""
        program = PROGRAM.format(kubeconfig=str(self.cluster.kubeconfig)) + line + "\n"
        (self.folder / "__main__.py").write_text(program)
        selected = self.somebody.run("pulumi", "stack", "select", "--create", stack, "--non-interactive")
        assert selected.returncode == 0, selected.stdout
        return self.somebody.run("pulumi", *command, "--non-interactive", "-s", stack)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    newcomer = newcomer_in(folder)
    newcomer.log_in()
    try:
        newcomer.done("corral", "up", "--plane-only", "-s", "elsewhere")
        (folder / "program").mkdir()
        yield Programs(Cluster(newcomer, folder), folder / "program")
    finally:
        newcomer.run("corral", "down", "-s", "elsewhere")


def test_a_database_without_cert_manager_says_so_at_once(programs):
    line = 'VectorDatabase("vectors", {"engine": "pgvector", "credential": "x", "supply": {}}, cluster)'
    start = time.monotonic()
    done = programs.pulumi("database", line, "up", "--yes", "--skip-preview")
    assert time.monotonic() - start < 40, "a type that is not there is awaited for a minute"
    assert done.returncode != 0
    assert "vectors-needs-cert-manager" in done.stdout
    assert "resource 'certificates.cert-manager.io' does not exist" in done.stdout
    assert "Traceback" not in done.stdout


TEAM = 'Tenancy("tenancy", {"tenants": [{"name": "team", "namespace": "team"%s}]}, cluster)'


@pytest.fixture(scope="module")
def team(programs):
    """A namespace of a colleague's, with something in it."""
    programs.cluster.kubectl("create", "namespace", "team")
    programs.cluster.kubectl("label", "namespace", "team", "pod-security.kubernetes.io/enforce=baseline")
    programs.cluster.kubectl("apply", "-n", "team", "-f", "-", stdin=json.dumps(COLLEAGUE))
    return programs


def labels(programs):
    seen = json.loads(programs.cluster.kubectl("get", "namespace", "team", "-o", "json"))
    return seen["metadata"]["labels"]


def test_somebody_elses_namespace_is_refused_before_it_is_touched(team):
    before = labels(team)
    for command in (("preview",), ("up", "--yes")):
        done = team.pulumi("refused", TEAM % "", *command)
        assert done.returncode != 0, done.stdout
        assert "namespace 'team' is there already, with fields of kubectl-create" in done.stdout
        assert "`create_namespace: false`" in done.stdout
        assert "Traceback" not in done.stdout
    assert labels(team) == before


def test_somebody_elses_namespace_is_used_as_it_is_and_outlives_the_stack(team):
    before = labels(team)
    line = TEAM % ', "create_namespace": False'
    done = team.pulumi("lodger", line, "up", "--yes")
    assert done.returncode == 0, done.stdout
    assert "default-deny" in team.cluster.kubectl("get", "networkpolicies", "-n", "team")
    done = team.pulumi("lodger", line, "destroy", "--yes")
    assert done.returncode == 0, done.stdout
    assert labels(team) == before
    assert "default-deny" not in team.cluster.kubectl("get", "networkpolicies", "-n", "team")
    assert "colleague" in team.cluster.kubectl("get", "configmaps", "-n", "team")


def test_a_namespace_of_ones_own_is_made_changed_and_removed(team):
    tenant = 'Tenancy("tenancy", {"tenants": [{"name": "own", "namespace": "own"%s}]}, cluster)'
    for more in ("", ', "data_class": "internal"'):
        done = team.pulumi("own", tenant % more, "up", "--yes")
        assert done.returncode == 0, done.stdout
        # Others may add to it: only its creation is looked at.
        team.cluster.kubectl("label", "namespace", "own", "--overwrite", f"example.org/seen={len(more)}")
    done = team.pulumi("own", tenant % "", "destroy", "--yes")
    assert done.returncode == 0, done.stdout
    assert team.cluster.kubectl("get", "namespace", "own", "--ignore-not-found") == ""


POOL = 'ExistingGpuNodePool("pool", {"pool": "whole", "nodes": [{"name": "whole-0"%s}]}, cluster)'
MAINTENANCE = {"key": "maintenance", "value": "yes", "effect": "NoSchedule"}


def node(programs):
    seen = json.loads(programs.cluster.kubectl("get", "node", "whole-0", "-o", "json"))
    return seen["metadata"]["labels"], seen["spec"].get("taints", [])


def test_a_label_of_somebody_else_on_a_gpu_node_is_refused_in_preview(programs):
    programs.cluster.kubectl("label", "node", "whole-0", "corral.dev/pool=theirs")
    done = programs.pulumi("labelled", POOL % "", "preview")
    assert done.returncode != 0, done.stdout
    assert "node whole-0: label corral.dev/pool is 'theirs' already, by kubectl-label" in done.stdout
    programs.cluster.kubectl("label", "node", "whole-0", "corral.dev/pool-")


def test_a_taint_of_somebody_else_outlives_a_pool_its_changes_and_its_end(programs):
    before, none = node(programs)
    assert none == []
    assert programs.pulumi("tainted", POOL % "", "up", "--yes", "--skip-preview").returncode == 0
    labels, taints = node(programs)
    assert labels["corral.dev/pool"] == "whole"
    assert [one["key"] for one in taints] == ["nvidia.com/gpu"]
    programs.cluster.kubectl("taint", "node", "whole-0", "maintenance=yes:NoSchedule")
    changed = POOL % ', "device_plugin_config": "whole"'
    assert programs.pulumi("tainted", changed, "up", "--yes", "--skip-preview").returncode == 0
    labels, taints = node(programs)
    assert labels["nvidia.com/device-plugin.config"] == "whole"
    assert MAINTENANCE in taints
    assert programs.pulumi("tainted", changed, "destroy", "--yes", "--skip-preview").returncode == 0
    labels, taints = node(programs)
    assert MAINTENANCE in taints
    assert labels == before


ROLLOUT = """
model = pulumi.ComponentResource("test:index:Model", "model", None, cluster)
served = pulumi.ComponentResource("test:index:Served", "served", None, cluster)
marked = revision_annotations({"predictor": {"model": "new"}}, {})
rolled_out(model, "rollout", served, name="late", namespace="default", annotations=marked, timeout="3m")
"""
REVISION = "corral.dev/revision"
NEW = fingerprint([{"model": "new"}, {}])


def deployment(revision):
    labels, container = {"app": "late"}, {"name": "late", "image": "example.eu/late:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "late", "namespace": "default"},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {REVISION: revision}},
                "spec": {"containers": [container]},
            },
        },
    }


def test_up_awaits_replicas_of_a_revision_that_a_controller_makes_later(programs):
    ask = programs.cluster.kubectl
    ask("apply", "--server-side", "-f", "-", stdin=json.dumps(deployment("old")))
    ask("rollout", "status", "deployment/late", "--timeout", "60s")
    with ThreadPoolExecutor(1) as thread:
        up = thread.submit(programs.pulumi, "rollout", ROLLOUT, "up", "--yes", "--skip-preview")
        end = time.monotonic() + 90
        while ask("get", "deployment", "late", "-o", "jsonpath={.metadata.annotations}").count(NEW) == 0:
            assert not up.done(), up.result().stdout
            assert time.monotonic() < end, "the patch is not there"
            time.sleep(0.5)
        time.sleep(3)
        assert not up.done(), "all that is ready is old"
        ask("apply", "--server-side", "-f", "-", stdin=json.dumps(deployment(NEW)))
        done = up.result(timeout=120)
    assert done.returncode == 0, done.stdout
    (pod,) = json.loads(ask("get", "pods", "-l", "app=late", "-o", "json"))["items"]
    assert pod["metadata"]["annotations"][REVISION] == NEW
    assert {one["type"]: one["status"] for one in pod["status"]["conditions"]}["Ready"] == "True"
