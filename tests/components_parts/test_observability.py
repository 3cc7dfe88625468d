import pytest
from tests.components.harness import build
from tests.components_parts.installs import installed, values_of

from corral.components._kit import ArgsError
from corral.components.observability import Observability

CANARY = "canary-93ab"


def observed(**more):
    return lambda: Observability("watch", {"supply": {}, "grafana_password": CANARY, **more})


def values(graph):
    return values_of(graph, "watch-chart")


def test_monitors_rules_and_probes_of_every_component_are_found():
    spec = values(build(observed()))["prometheus"]["prometheusSpec"]
    for what in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"):
        assert spec[f"{what}SelectorNilUsesHelmValues"] is False, f"{what}s of other charts would be ignored"


def test_dashboards_are_found_in_every_namespace():
    boards = values(build(observed()))["grafana"]["sidecar"]["dashboards"]
    assert boards["searchNamespace"] == "ALL"
    assert boards["label"] == "grafana_dashboard"


def test_the_admin_password_lies_in_one_secret_that_the_chart_only_names():
    graph = build(observed())
    holders = [r for r in graph if CANARY in repr(r.inputs)]
    assert [r.kind for r in holders] == ["Secret"] and holders[0].secrets
    admin = values(graph)["grafana"]["admin"]
    assert admin["existingSecret"] == holders[0].object_name
    assert {admin["userKey"], admin["passwordKey"]} == set(holders[0].inputs["stringData"])
    assert holders[0].urn in graph.before(installed(graph, "watch-chart"))


def test_no_admission_webhook_waits_for_a_certificate_that_nobody_makes():
    operator = values(build(observed()))["prometheusOperator"]
    assert operator["admissionWebhooks"]["enabled"] is False
    assert operator["tls"]["enabled"] is False, "its certificate comes with the webhook"


def test_grafana_reports_to_nobody():
    assert not any(values(build(observed()))["grafana"]["grafana.ini"]["analytics"].values())


CONTROL_PLANE = ("kubeScheduler", "kubeControllerManager", "kubeEtcd", "kubeProxy")


def test_a_control_plane_that_cannot_be_scraped_raises_no_alarm():
    found = values(build(observed()))
    assert [found[one]["enabled"] for one in CONTROL_PLANE] == [False] * 4, "each alert would fire for ever"
    found = values(build(observed(control_plane=True)))
    assert [found[one]["enabled"] for one in CONTROL_PLANE] == [True] * 4


def test_samples_are_dropped_before_the_volume_is_full():
    spec = values(build(observed(size_gib=20, retention_days=7)))["prometheus"]["prometheusSpec"]
    assert spec["retention"] == "7d"
    assert spec["storageSpec"]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"] == "20Gi"
    assert int(spec["retentionSize"].removesuffix("MiB")) < 20 * 1024


def test_outputs_name_grafana_and_prometheus():
    outputs = build(observed()).one("Observability").outputs
    assert outputs["grafana"] == "grafana.monitoring.svc:80"
    assert outputs["prometheus"] == "http://monitoring-prometheus.monitoring.svc:9090"


def test_an_existing_stack_is_checked_and_left_alone():
    crd = {"spec": {"versions": [{"name": "v1", "served": True}]}}
    graph = build(
        lambda: Observability("watch", {"supply": {}, "existing": True}),
        found={"prometheuses.monitoring.coreos.com": crd},
    )
    assert [r.kind for r in graph if r.custom] == ["CustomResourceDefinition"]


def test_a_missing_password_is_named():
    with pytest.raises(ArgsError, match="'grafana_password' is missing"):
        build(lambda: Observability("watch", {"supply": {}}))
