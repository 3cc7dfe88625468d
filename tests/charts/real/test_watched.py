"""What Prometheus is told to scrape of a controller is what its real chart prints."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from tests.charts.in_use import uses
from tests.charts.real.folders import documents, printed
from tests.components.harness import build

from corral.catalogue.charts import chart
from corral.components.cert_manager import CertManager
from corral.components.keda import Keda
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno

pytestmark = [pytest.mark.engine, pytest.mark.real_charts]


@dataclass(frozen=True)
class Watched:
    """A component, and the controllers of its chart that count something."""

    component: Callable[..., Any]
    controllers: frozenset[str]
    more: Mapping[str, Any]


CASES = {
    "cert-manager": Watched(
        CertManager, frozenset({"cert-manager", "cert-manager-webhook", "cert-manager-cainjector"}), {}
    ),
    "keda": Watched(Keda, frozenset({"keda-operator"}), {}),
    "kserve-resources": Watched(
        KServe, frozenset({"kserve-controller-manager"}), {"cert_manager": "cert-manager"}
    ),
    "kyverno": Watched(
        Kyverno, frozenset({"kyverno-admission-controller", "kyverno-background-controller"}), {}
    ),
}


def graph_of(name: str):
    case = CASES[name]
    return build(lambda: case.component("one", {"supply": {}, **case.more}))


def objects(name: str) -> list[dict[str, Any]]:
    values = next(one.values for one in uses() if (one.chart, one.case) == (name, "plain"))
    return documents(printed(name, values, chart(name).namespace))


def selects(labels: Mapping[str, str], document: Mapping[str, Any]) -> bool:
    return labels.items() <= (document["metadata"].get("labels") or {}).items()


def scraped(name: str) -> dict[str, set[int]]:
    """Ports of each Deployment's pods that the component's monitor leads to."""
    (monitor,) = [one for one in graph_of(name) if one.kind in ("ServiceMonitor", "PodMonitor")]
    spec = monitor.inputs["spec"]
    labels = spec["selector"]["matchLabels"]
    found: dict[str, set[int]] = {}
    for one in objects(name):
        if one["kind"] != "Deployment":
            continue
        template = one["spec"]["template"]
        ports = {
            port.get("name"): port["containerPort"]
            for container in template["spec"]["containers"]
            for port in container.get("ports") or []
        }
        targets: list[Any] = []
        if monitor.kind == "PodMonitor" and selects(labels, template):
            targets = [spec["podMetricsEndpoints"][0]["portNumber"]]
        elif monitor.kind == "ServiceMonitor":
            targets = [
                port.get("targetPort", port["port"])
                for service in objects(name)
                if service["kind"] == "Service" and selects(labels, service)
                if selects(service["spec"]["selector"], template)
                for port in service["spec"]["ports"]
                if port.get("name") == spec["endpoints"][0]["port"]
            ]
        numbers = {ports.get(port, port) for port in targets} & set(ports.values())
        if numbers:
            found[one["metadata"]["name"]] = numbers
    return found


@pytest.mark.parametrize("name", CASES)
def test_each_controller_s_metrics_port_is_scraped_once_and_no_other(name):
    found = scraped(name)
    assert found.keys() == CASES[name].controllers
    assert all(len(ports) == 1 for ports in found.values()), found


@pytest.mark.parametrize("name", CASES)
def test_alerts_about_a_controller_that_is_missing_name_what_is_there(name):
    printed_names = {one["metadata"]["name"] for one in objects(name) if one["kind"] == "Service"} | {
        container["name"]
        for one in objects(name)
        if one["kind"] == "Deployment"
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    rules = graph_of(name).one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
    (missing,) = [rule for rule in rules if rule["alert"].endswith("Missing")]
    matched = dict(re.findall(r'(\w+)="([^"]+)"', missing["expr"]))
    assert matched.pop("namespace") == chart(name).namespace
    assert set(matched.values()) <= printed_names


@pytest.mark.parametrize("name", CASES)
def test_no_network_policy_of_the_chart_keeps_prometheus_out(name):
    assert not [one for one in objects(name) if one["kind"] == "NetworkPolicy"]


def test_kserve_s_metrics_are_read_with_the_token_that_its_proxy_asks_for():
    (endpoint,) = graph_of("kserve-resources").one("ServiceMonitor").inputs["spec"]["endpoints"]
    assert (endpoint["scheme"], endpoint["port"]) == ("https", "https")
    assert endpoint["bearerTokenFile"].endswith("/serviceaccount/token")
