"""A program of its own on the platform: what is adopted, a chart that fails, a cluster that is gone."""

import re
import shutil

import pytest
import yaml
from platform_client import CHECKOUT, wait_for
from tests.providers.programs import Program

pytestmark = pytest.mark.engine

UP = ("up", "--yes", "--skip-preview")
PAGE = (CHECKOUT / "docs" / "adopt.md").read_text()
STATE = (CHECKOUT / "docs" / "state.md").read_text()
(ADOPTING,) = [one for one in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "Namespace(" in one]
RELEASE = """
kubernetes.helm.v3.Release(
    "chart",
    name="chart",
    chart="./chart",
    namespace=space.metadata.name,
    values={"kind": "KIND"},
    timeout=60,
)
"""
OBJECTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: first}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: second}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ .Values.kind }}, name: view}
subjects: []
"""


@pytest.fixture(scope="module")
def stack(platform, tmp_path_factory):
    stack = Program(tmp_path_factory.mktemp("own"), "")
    file = stack.folder / "kubeconfig"
    shutil.copy(platform.plane.kubeconfig, file)
    stack.variables["KUBECONFIG"] = str(file)
    chart = stack.program / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: chart, version: 0.1.0}\n")
    (chart / "templates" / "objects.yaml").write_text(OBJECTS)
    platform.kubectl("create", "namespace", "research")
    platform.kubectl("label", "namespace", "research", "owner=research")
    yield stack
    platform.kubectl("delete", "namespace", "research", "--wait=false")
    wait_for(
        lambda: not platform.try_kubectl("get", "namespace", "research", "--ignore-not-found").out,
        120,
        "the namespace is gone, which later tests would meet",
    )


def write(stack, kind, adopting=ADOPTING):
    stack.write(adopting + RELEASE.replace("KIND", kind))


def test_a_chart_that_fails_says_why_and_is_finished_by_the_next_up(platform, stack):
    before = platform.read("namespace", "research")["metadata"]["uid"]
    write(stack, "Nonsense")
    told = stack.refused(*UP)
    assert "roleRef.kind" in told and "Nonsense" in told
    first = platform.read("configmap", "first", "-n", "research")["metadata"]["uid"]
    write(stack, "ClusterRole", ADOPTING.replace('import_="research", ', ""))
    stack.done(*UP)
    assert platform.read("configmap", "first", "-n", "research")["metadata"]["uid"] == first
    assert platform.read("rolebinding", "second", "-n", "research")["roleRef"]["name"] == "view"
    kept = platform.items("secrets", "-n", "research", "-l", "owner=helm,status=deployed")
    assert [one["metadata"]["labels"]["name"] for one in kept] == ["chart"]
    assert platform.read("namespace", "research")["metadata"]["uid"] == before, "adopted, not made anew"
    assert "3 unchanged" in stack.done(*UP)


def test_what_was_adopted_is_protected(platform, stack):
    assert "protected" in stack.refused("destroy", "--preview-only")
    assert platform.read("namespace", "research")["status"]["phase"] == "Active"


def test_refresh_and_destroy_finish_without_a_cluster_when_told_that_it_is_gone(platform, stack):
    file = stack.folder / "kubeconfig"
    config = yaml.safe_load(file.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    file.write_text(yaml.safe_dump(config))
    stack.done("state", "unprotect", "--all", "--yes")
    told = stack.refused("refresh", "--yes", "--skip-preview")
    assert "unreachable" in told and "PULUMI_K8S_DELETE_UNREACHABLE" in told
    assert "connection refused" in stack.refused("destroy", "--yes", "--skip-preview")
    assert len(stack.state()) > 3
    for command in ("refresh --yes --skip-preview", "destroy --yes --skip-preview"):
        assert f"PULUMI_K8S_DELETE_UNREACHABLE=true pulumi {command}\n" in STATE
        stack.variables["PULUMI_K8S_DELETE_UNREACHABLE"] = "true"
        stack.done(*command.split())
    assert stack.state() == []
    assert platform.read("configmap", "first", "-n", "research"), (
        "what was only away is forgotten, not removed"
    )
