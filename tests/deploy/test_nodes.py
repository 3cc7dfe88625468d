"""Nodes that Corral's own pods run on: in every pod template and in every chart."""

import pytest
from tests.components.test_deployed_images import platform, pod_specs
from tests.marks import first_of
from tests.stacks.stack_files import planned, problems

from corral.catalogue.charts import charts
from corral.components.supply import placed
from corral.stacks.reports.scope import cluster_lines

SELECTOR = {"node-role.example/platform": "true"}
TAINT = {"key": "dedicated", "value": "platform", "effect": "NoSchedule"}
CLUSTER = {"kind": "existing", "node-selector": SELECTOR, "tolerations": [TAINT, {"key": "any"}]}
BORNE = [
    {"key": "dedicated", "operator": "Equal", "value": "platform", "effect": "NoSchedule"},
    {"key": "any", "operator": "Exists"},
]
WITHOUT_PODS = ("gateway-crds-helm", "prometheus-operator-crds", "kserve-crd-minimal")


@pytest.mark.parametrize("engine", first_of(("pgvector", "qdrant")))
def test_every_pod_that_needs_no_gpu_runs_on_the_nodes_that_the_stack_file_names(engine):
    graph = platform(cluster=CLUSTER, **{"vector-db": {"engine": engine}})
    kinds = ("Deployment", "StatefulSet", "Job", "CronJob", "DaemonSet")
    pods = {r.name: list(pod_specs(r.inputs)) for r in graph if r.kind in kinds}
    assert len([name for name, found in pods.items() if found]) >= 3, pods.keys()
    assert pods["smollm2-import"]
    for name, found in pods.items():
        for pod in found:
            assert pod.get("nodeSelector") == SELECTOR, name
            assert pod.get("tolerations") == BORNE, name
    for chart in (r for r in graph if r.kind in ("Chart", "Release")):
        entry, values = charts()[chart.inputs["name"]], chart.inputs["values"]
        assert entry.pods or entry.name in WITHOUT_PODS, entry.name
        for path in entry.pods:
            inner = values
            for key in path.split(".") if path else ():
                inner = inner[key]
            assert inner["nodeSelector"] == SELECTOR, f"{entry.name}: {path}"
            assert inner["tolerations"] == BORNE, f"{entry.name}: {path}"


def test_without_the_keys_no_chart_and_no_pod_says_anything_of_nodes():
    graph = platform(cluster={"kind": "existing"})
    pods = [
        pod for r in graph if r.kind in ("Deployment", "StatefulSet", "Job") for pod in pod_specs(r.inputs)
    ]
    assert pods and not [pod for pod in pods if "nodeSelector" in pod]
    entry = charts()["kube-prometheus-stack"]
    assert placed({"grafana": {"a": 1}}, entry, {}) == {"grafana": {"a": 1}}


def test_the_plan_says_where_pods_run():
    lines = list(cluster_lines(planned(cluster=CLUSTER).cluster))
    assert lines == [
        "pods that need no GPU run on nodes with node-role.example/platform=true",
        "and bear the taints dedicated=platform:NoSchedule, any",
    ]


@pytest.mark.parametrize(
    ("cluster", "line"),
    [
        ({"node-selector": {"a b": "c"}}, "cluster.node-selector.a b"),
        ({"node-selector": {"a": "b c"}}, "cluster.node-selector.a: b c: use a label value"),
        (
            {"tolerations": [{"key": "a", "effect": "Never"}]},
            "cluster.tolerations[0].effect: Never: use one of",
        ),
        ({"tolerations": [{"value": "a"}]}, "cluster.tolerations[0].key: missing"),
    ],
)
def test_a_wrong_node_or_taint_is_one_line(cluster, line):
    (said,) = problems(cluster={"kind": "existing", **cluster})
    assert said.startswith(line)


def test_an_embedded_cluster_has_nodes_of_its_own():
    (said,) = problems(cluster={"kind": "embedded", "node-selector": SELECTOR})
    assert said.startswith("cluster.node-selector: node-role.example/platform=true: belongs to kind existing")
