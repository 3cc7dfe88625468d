"""Single components in a program of one's own, on a cluster where others have been before."""

import json
import time
from dataclasses import replace

import pytest
from tests.door.newcomer import newcomer_in
from tests.door.test_existing_cluster import Cluster

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes
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
