"""Monitors, alerts and dashboards: each component makes its own, observability's selectors find them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import Addon
from corral.components._kit import child, fingerprint, prerequisite
from corral.components._kit import labels as labels_of

DASHBOARD_LABEL = {"grafana_dashboard": "1"}
UID_NAME = 29
"""Characters of a dashboard's name in its identifier; a fingerprint follows."""
RUNBOOK = "docs/alerts.md"
"""Page that says of each alert what to look at first."""
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


@dataclass(frozen=True)
class Signals:
    """What is watched of one component."""

    title: str
    """Title of its dashboard; the namespace is added, so that two instances differ."""
    panels: Sequence[Panel]
    alerts: Sequence[Alert]


@dataclass(frozen=True)
class Monitor:
    """What Prometheus scrapes every 30 seconds."""

    match: Mapping[str, str]
    """Labels of the Services, or of the pods where `pods`."""
    port: str | int
    """Name of the Service's port, or number of the pods' port."""
    pods: bool = False
    """True: pods are scraped that no Service is in front of."""
    connection: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Scheme, credentials and TLS, as fields of the endpoint; plain HTTP when empty."""


def grown(counter: str, window: str) -> str:
    """PromQL of what each series of a counter has grown by in a window, what it began with included.

    `increase` counts from the first sample on, and many a series appears with the first event that it counts.
    A series that was there before the window is new to nobody after an hour in which Prometheus was away.
    """
    before = f"last_over_time({counter}[1h] offset {window})"
    return f"(({counter} unless {before}) or increase({counter}[{window}]))"


def monitor_prerequisite(
    parent: pulumi.Resource, instance: str, args: Mapping[str, Any]
) -> list[pulumi.Resource]:
    """What monitors and alerts wait for; `args` of the component: `monitors` and `monitor_types`."""
    if not args.get("monitors", True):
        return []
    return prerequisite(parent, instance, Addon.PROMETHEUS_CRDS, args.get("monitor_types"))


def watch(
    parent: pulumi.Resource,
    instance: str,
    signals: Callable[[str], Signals],
    *,
    component: str,
    namespace: pulumi.Input[str],
    args: Mapping[str, Any],
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    scrape: Monitor | None = None,
    depends_on: Sequence[pulumi.Resource] = (),
    types: Sequence[pulumi.Resource] | None = None,
) -> None:
    """Dashboard of a component's instance and, where Prometheus' types are, its monitor and alerts.

    Args:
        signals: from the namespace, once that is known.
        args: of the component: `monitors`, and `monitor_types` where the program makes those types.
        name: of each object; `corral-` and the component's when omitted.
        labels: of each object; the component's own when omitted.
        types: its `monitor_prerequisite`, where its chart needs that, too.
    """
    name = name or f"corral-{component}"
    labels = labels_of(component, instance) if labels is None else labels
    about: dict[str, Any] = {"name": name, "namespace": namespace, "labels": dict(labels)}
    options = child(parent, depends_on=list(depends_on))
    known = pulumi.Output.from_input(namespace)
    kubernetes.core.v1.ConfigMap(
        f"{instance}-dashboard",
        metadata=cast(Any, {**about, "labels": {**labels, **DASHBOARD_LABEL}}),
        data=known.apply(lambda space: _dashboard(uid(name, instance, space), space, signals(space))),
        opts=options,
    )
    if not args.get("monitors", True):
        return
    types = monitor_prerequisite(parent, instance, args) if types is None else types
    options = child(parent, depends_on=[*depends_on, *types])
    if scrape is not None:
        _prometheus_object(
            f"{instance}-monitor",
            "PodMonitor" if scrape.pods else "ServiceMonitor",
            about,
            _scraping(scrape),
            options,
        )
    rules = known.apply(lambda space: [_rule(alert) for alert in signals(space).alerts])
    _prometheus_object(
        f"{instance}-alerts", "PrometheusRule", about, {"groups": [{"name": name, "rules": rules}]}, options
    )


def uid(name: str, instance: str, namespace: str) -> str:
    """Identifier of an instance's dashboard: at most 40 characters, which is Grafana's limit.

    >>> uid("model-chat", "chat", "team-a") == uid("model-chat", "chat", "team-b")
    False
    """
    return f"{name[:UID_NAME]}-{fingerprint(name, instance, namespace)}"


def _prometheus_object(
    logical: str,
    kind: str,
    metadata: Mapping[str, Any],
    spec: Mapping[str, Any],
    options: pulumi.ResourceOptions,
) -> None:
    kubernetes.apiextensions.CustomResource(
        logical,
        api_version="monitoring.coreos.com/v1",
        kind=kind,
        metadata=dict(metadata),
        spec=dict(spec),
        opts=options,
    )


def _scraping(scrape: Monitor) -> dict[str, Any]:
    endpoints = "podMetricsEndpoints" if scrape.pods else "endpoints"
    port = "portNumber" if scrape.pods else "port"
    endpoint = {port: scrape.port, "path": "/metrics", "interval": "30s", **scrape.connection}
    return {"selector": {"matchLabels": dict(scrape.match)}, endpoints: [endpoint]}


def _rule(alert: Alert) -> dict[str, object]:
    return {
        "alert": alert["name"],
        "expr": alert["expression"],
        "for": alert["lasting"],
        "labels": {"severity": alert["severity"]},
        "annotations": {"summary": alert["summary"], "runbook": f"{RUNBOOK}#{alert['name'].lower()}"},
    }


def _dashboard(identifier: str, namespace: str, signals: Signals) -> dict[str, str]:
    """Data of the ConfigMap; the sidecar keeps the files of all namespaces in one folder."""
    content = {
        "uid": identifier,
        "title": f"{signals.title} ({namespace})",
        "tags": ["corral"],
        "schemaVersion": 39,
        "time": {"from": "now-3h", "to": "now"},
        "panels": [_panel(index, panel) for index, panel in enumerate(signals.panels)],
    }
    return {f"{identifier}.json": json.dumps(content, sort_keys=True)}


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
