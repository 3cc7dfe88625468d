"""Monitors, alerts and dashboards: each component makes its own, observability's selectors find them."""

import json
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import child

DASHBOARD_LABEL = {"grafana_dashboard": "1"}
PANEL_WIDTH, PANEL_HEIGHT, ROW_WIDTH = 12, 8, 24


class Panel(TypedDict):
    """One time series panel of a dashboard."""

    title: str
    """What it shows, with no unit in it."""
    queries: Mapping[str, str]
    """PromQL by legend, in Grafana's legend format."""
    unit: NotRequired[str]
    """Grafana's unit identifier, such as `bytes`, `s`, `percentunit`; a plain number when omitted."""


class Alert(TypedDict):
    """One alerting rule."""

    name: str
    """Alert name, in CamelCase."""
    expression: str
    """PromQL that is non-empty while something is wrong."""
    lasting: str
    """How long before it fires, in Prometheus' duration form."""
    severity: str
    """`warning` or `critical`."""
    summary: str
    """What is wrong and where to look, one line; Prometheus' templates are allowed."""


def service_monitor(
    parent: pulumi.Resource,
    logical: str,
    *,
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    match: Mapping[str, str],
    port: str,
    path: str = "/metrics",
    depends_on: Sequence[pulumi.Resource] = (),
) -> pulumi.Resource:
    """A ServiceMonitor over the Services of `namespace` whose labels match; `port` is the port's name."""
    return kubernetes.apiextensions.CustomResource(
        logical,
        api_version="monitoring.coreos.com/v1",
        kind="ServiceMonitor",
        metadata={"name": name, "namespace": namespace, "labels": dict(labels)},
        spec={
            "selector": {"matchLabels": dict(match)},
            "endpoints": [{"port": port, "path": path, "interval": "30s"}],
        },
        opts=child(parent, depends_on=list(depends_on)),
    )


def pod_monitor(
    parent: pulumi.Resource,
    logical: str,
    *,
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    match: Mapping[str, str],
    port: int,
    path: str = "/metrics",
    depends_on: Sequence[pulumi.Resource] = (),
) -> pulumi.Resource:
    """A PodMonitor over the pods of `namespace` whose labels match; `port` is the containerPort."""
    return kubernetes.apiextensions.CustomResource(
        logical,
        api_version="monitoring.coreos.com/v1",
        kind="PodMonitor",
        metadata={"name": name, "namespace": namespace, "labels": dict(labels)},
        spec={
            "selector": {"matchLabels": dict(match)},
            "podMetricsEndpoints": [{"portNumber": port, "path": path, "interval": "30s"}],
        },
        opts=child(parent, depends_on=list(depends_on)),
    )


def alerts(
    parent: pulumi.Resource,
    logical: str,
    *,
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    rules: pulumi.Input[Sequence[Alert]],
    depends_on: Sequence[pulumi.Resource] = (),
) -> pulumi.Resource:
    """A PrometheusRule with one group of alerting rules."""
    return kubernetes.apiextensions.CustomResource(
        logical,
        api_version="monitoring.coreos.com/v1",
        kind="PrometheusRule",
        metadata={"name": name, "namespace": namespace, "labels": dict(labels)},
        spec={"groups": [{"name": name, "rules": pulumi.Output.from_input(rules).apply(_rules)}]},
        opts=child(parent, depends_on=list(depends_on)),
    )


def _rules(group: Sequence[Alert]) -> list[dict[str, object]]:
    return [_rule(alert) for alert in group]


def _rule(alert: Alert) -> dict[str, object]:
    return {
        "alert": alert["name"],
        "expr": alert["expression"],
        "for": alert["lasting"],
        "labels": {"severity": alert["severity"]},
        "annotations": {"summary": alert["summary"]},
    }


def dashboard(
    parent: pulumi.Resource,
    logical: str,
    *,
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    title: str,
    panels: pulumi.Input[Sequence[Panel]],
    depends_on: Sequence[pulumi.Resource] = (),
) -> pulumi.Resource:
    """A Grafana dashboard as a ConfigMap that Grafana's sidecar finds; `name` is also the dashboard's uid."""
    return kubernetes.core.v1.ConfigMap(
        logical,
        metadata={"name": name, "namespace": namespace, "labels": {**labels, **DASHBOARD_LABEL}},
        data={
            f"{name}.json": pulumi.Output.from_input(panels).apply(lambda known: _grafana(name, title, known))
        },
        opts=child(parent, depends_on=list(depends_on)),
    )


def _grafana(uid: str, title: str, panels: Sequence[Panel]) -> str:
    content = {
        "uid": uid,
        "title": title,
        "tags": ["corral"],
        "schemaVersion": 39,
        "time": {"from": "now-3h", "to": "now"},
        "panels": [_panel(index, panel) for index, panel in enumerate(panels)],
    }
    return json.dumps(content, sort_keys=True)


def _panel(index: int, panel: Panel) -> dict[str, object]:
    per_row = ROW_WIDTH // PANEL_WIDTH
    row, column = divmod(index, per_row)
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": panel["title"],
        "gridPos": {"x": column * PANEL_WIDTH, "y": row * PANEL_HEIGHT, "w": PANEL_WIDTH, "h": PANEL_HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.get("unit", "short")}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + n), "expr": query, "legendFormat": legend}
            for n, (legend, query) in enumerate(panel["queries"].items())
        ],
    }
