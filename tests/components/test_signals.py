import json

import pulumi
import pytest
from tests.components.harness import build

from corral.components import _signals
from corral.components.gpu_operator.signals import SIGNALS as GPUS

LONG = "a-name-that-is-as-long-as-kubernetes-allows-a-label-value-to-be"


class Probe(pulumi.ComponentResource):
    def __init__(self, name: str):
        super().__init__("test:index:Probe", name)
        self.register_outputs({})


def watched(*places: tuple[str, str, str], monitors: bool = True, scrape=None):
    """A graph with one watched instance per (instance, object name, namespace)."""
    alert: _signals.Alert = {
        "name": "Down", "expression": "up == 0", "lasting": "5m", "severity": "critical", "summary": "Down.",
    }  # fmt: skip
    panel: _signals.Panel = {"title": "Up", "queries": {"{{pod}}": "up"}}
    signals = _signals.Signals("Probe", (panel,), (alert,))

    def program():
        for instance, name, namespace in places:
            _signals.watch(
                Probe(f"{instance}-probe"),
                instance,
                lambda _: signals,
                component="probe",
                namespace=namespace,
                args={"monitors": monitors},
                name=name,
                labels={"app": "probe"},
                scrape=scrape,
            )

    return build(program)


def boards(graph):
    """Dashboards by the file that Grafana's sidecar writes, in one folder for all namespaces."""
    return {
        file: json.loads(text) for one in graph.of("ConfigMap") for file, text in one.inputs["data"].items()
    }


@pytest.mark.parametrize(
    "places",
    [
        [("chat", "model-chat", "team-a"), ("chat-b", "model-chat", "team-b")],
        [("one", "corral-gpus", "gpu-operator"), ("two", "corral-gpus", "gpu-operator")],
        [(f"{LONG}-1", f"model-{LONG}-1", "team"), (f"{LONG}-2", f"model-{LONG}-2", "team")],
    ],
    ids=["namespaces", "instances", "long names"],
)
def test_dashboards_of_two_instances_share_neither_identifier_nor_file(places):
    found = boards(watched(*places))
    assert len(found) == 2, "one file would overwrite the other"
    identifiers = {board["uid"] for board in found.values()}
    assert len(identifiers) == 2
    assert all(len(one) <= 40 for one in identifiers), "Grafana refuses longer ones"


def test_dashboards_of_two_namespaces_differ_in_title_for_grafana_saves_no_two_of_one():
    found = boards(watched(("a", "model-chat", "team-a"), ("b", "model-chat", "team-b")))
    assert sorted(board["title"] for board in found.values()) == ["Probe (team-a)", "Probe (team-b)"]


def test_an_identifier_stays_the_same_from_run_to_run():
    places = ("chat", "model-chat", "team-a")
    assert boards(watched(places)) == boards(watched(places))
    assert _signals.uid("model-chat", "chat", "team-a") == "model-chat-71e74658c2"


def test_one_call_makes_dashboard_monitor_and_alerts_of_one_name():
    scrape = _signals.Monitor({"app": "probe"}, "metrics")
    graph = watched(("chat", "model-chat", "team-a"), scrape=scrape)
    made = {one.kind: (one.object_name, one.namespace) for one in graph if one.custom and not one.read}
    place = ("model-chat", "team-a")
    assert made == {"ConfigMap": place, "ServiceMonitor": place, "PrometheusRule": place}
    spec = graph.one("ServiceMonitor").inputs["spec"]
    assert spec["selector"]["matchLabels"] == {"app": "probe"}
    assert spec["endpoints"] == [{"port": "metrics", "path": "/metrics", "interval": "30s"}]


def test_pods_without_a_service_are_scraped_by_port_number():
    graph = watched(("p", "p", "n"), scrape=_signals.Monitor({"app": "probe"}, 9187, pods=True))
    (endpoint,) = graph.one("PodMonitor").inputs["spec"]["podMetricsEndpoints"]
    assert endpoint == {"portNumber": 9187, "path": "/metrics", "interval": "30s"}


def test_without_the_prometheus_types_there_is_a_dashboard_alone():
    graph = watched(("p", "p", "n"), monitors=False, scrape=_signals.Monitor({"app": "probe"}, "metrics"))
    assert [one.kind for one in graph if one.kind != "Probe"] == ["ConfigMap"]


def test_gpu_metrics_are_missing_only_where_neither_whole_gpus_nor_mig_slices_have_any():
    (missing,) = [alert for alert in GPUS.alerts if alert["name"] == "GpuMetricsMissing"]
    assert missing["expression"] == "absent(DCGM_FI_DEV_GPU_UTIL or DCGM_FI_PROF_GR_ENGINE_ACTIVE)"


def test_the_use_of_mig_slices_is_drawn_beside_that_of_whole_gpus():
    (use,) = [panel for panel in GPUS.panels if panel["title"] == "GPU utilisation"]
    assert any(
        'DCGM_FI_PROF_GR_ENGINE_ACTIVE{GPU_I_PROFILE!=""}' in query for query in use["queries"].values()
    )
