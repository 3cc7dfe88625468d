"""Charts take the nodes of a stack at the values that the catalogue names."""

import pytest
import yaml
from tests.charts.conftest import objects
from tests.charts.in_use import uses

from corral.catalogue.charts import chart
from corral.components.supply import Supply, placed
from corral.embedded.toolchain import chart as real_chart

SELECTOR = {"node-role.example/platform": "true"}
NODES: Supply = {"node_selector": SELECTOR, "tolerations": [{"key": "any", "operator": "Exists"}]}
REAL = ("cert-manager", "kserve-resources", "kueue", "kyverno")
PODS = ("Deployment", "StatefulSet", "Job", "CronJob")


@pytest.mark.engine
@pytest.mark.parametrize("name", REAL)
def test_every_pod_of_the_real_chart_but_daemonsets_is_put_on_the_nodes(name, render):
    use = next(one for one in uses() if one.chart == name)
    found = objects(render(real_chart(name), name, placed(use.values, chart(name), NODES)))
    pods = [one for one in found if one["kind"] in PODS and "test" not in one["metadata"]["name"]]
    assert pods
    for one in pods:
        job = one["spec"]["jobTemplate"] if one["kind"] == "CronJob" else one
        spec = job["spec"]["template"]["spec"]
        where = f"{one['kind']} {one['metadata']['name']}"
        assert spec.get("nodeSelector", {}).items() >= SELECTOR.items(), where
        assert {"key": "any", "operator": "Exists"} in spec.get("tolerations", []), where


@pytest.mark.parametrize(
    "name", ["gpu-operator", "dra-driver-nvidia-gpu", "kube-prometheus-stack", "qdrant", *REAL]
)
def test_the_values_that_the_catalogue_names_are_those_of_the_upstream_chart(name, upstream_charts):
    values = yaml.safe_load((upstream_charts / name / "values.yaml").read_text())
    ours = [path for path in chart(name).pods if path.partition(".")[0] not in SUBCHARTS]
    for path in ours:
        inner = values
        for key in path.split(".") if path else ():
            inner = inner[key]
        assert "nodeSelector" in inner, f"{name}: {path}"


SUBCHARTS = ("grafana", "kube-state-metrics", "node-feature-discovery")
"""Their values stand in charts of their own."""
