import json

import pytest
from tests.components.harness import build
from tests.components.installs import installed, values_of
from tests.stacks.stack_files import planned, problems

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


def test_grafana_starts_anew_with_a_changed_password_and_keeps_its_users_nowhere_else():
    def grafana(password):
        return values(build(observed(grafana_password=password)))["grafana"]

    pods = [grafana(one)["podAnnotations"] for one in (CANARY, CANARY, "another")]
    assert pods[0] == pods[1] != pods[2]
    assert not grafana(CANARY).get("persistence"), "a volume would keep the first password"


def test_no_admission_webhook_waits_for_a_certificate_that_nobody_makes():
    operator = values(build(observed()))["prometheusOperator"]
    assert operator["admissionWebhooks"]["enabled"] is False
    assert operator["tls"]["enabled"] is False, "its certificate comes with the webhook"


def test_grafana_asks_nobody_outside_and_installs_nothing():
    stated = values(build(observed()))["grafana"]["grafana.ini"]
    assert not any(stated["analytics"].values()) and not any(stated["news"].values())
    assert not any(stated["snapshots"].values()) and stated["security"]["disable_gravatar"]
    assert stated["plugins"] == {
        "plugin_admin_enabled": False, "preinstall_disabled": True, "public_key_retrieval_disabled": True,
    }  # fmt: skip


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
    assert (
        graph.one("Observability").outputs["prometheus"] == "http://prometheus-operated.monitoring.svc:9090"
    )


def test_a_missing_password_is_named():
    with pytest.raises(ArgsError, match="'grafana_password' is missing"):
        build(lambda: Observability("watch", {"supply": {}}))


@pytest.mark.parametrize(
    ("kind", "place"), [("webhook", ("webhook_configs", "url")), ("slack", ("slack_configs", "api_url"))]
)
def test_alerts_go_to_the_receiver_whose_address_lies_in_one_secret_alone(kind, place):
    address = "https://hooks.example.eu/canary-of-the-receiver"
    graph = build(observed(alerts=kind, alerts_url=address))
    (holder,) = [r for r in graph if "canary-of-the-receiver" in repr(r.inputs)]
    assert holder.kind == "Secret" and holder.secrets
    config = json.loads(holder.inputs["stringData"]["alertmanager.yaml"])
    name = config["route"]["receiver"]
    (receiver,) = [one for one in config["receivers"] if one["name"] == name]
    assert receiver[place[0]][0][place[1]] == address
    assert {one["receiver"] for one in config["route"]["routes"]} < {
        one["name"] for one in config["receivers"]
    }
    spec = values(graph)["alertmanager"]["alertmanagerSpec"]
    assert spec["useExistingSecret"] is True and spec["configSecret"] == holder.object_name
    assert holder.urn in graph.before(installed(graph, "watch-chart"))


@pytest.mark.parametrize("more", [{"alerts": "slack"}, {"alerts_url": "https://x"}])
def test_a_receiver_without_an_address_is_refused(more):
    with pytest.raises(ArgsError, match="give both 'alerts' and 'alerts_url'"):
        build(observed(**more))


def test_a_stack_with_a_receiver_needs_its_address_and_the_plan_names_it():
    assert "alerts-url" not in planned(observability={}).secrets_needed
    made = planned(observability={"alerts": "slack"})
    assert "alerts-url" in made.secrets_needed and made.observability.alerts.value == "slack"
    (line,) = problems(observability={"alerts": "pigeon"})
    assert line.startswith("observability.alerts: pigeon: use one of webhook, slack")
    (line,) = problems(observability={"alerts": "slack"}, addons={"observability": "existing"})
    assert line.startswith("observability.alerts: slack: addon observability is existing")
