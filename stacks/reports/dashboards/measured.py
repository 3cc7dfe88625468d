"""Dashboards as they are deployed, with what the cluster's Prometheus answers to the query of each panel."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

Read = Callable[[str], str]
"""What the API server answers to a GET of a path."""

PROMETHEUSES = "/apis/monitoring.coreos.com/v1/prometheuses"
DASHBOARDS = "/api/v1/configmaps?labelSelector=grafana_dashboard%3D1"
OURS = "corral"
"""Tag of the dashboards that components of ours make."""
SERVICE = "prometheus-operated"
"""Service that the operator makes in the namespace of every Prometheus object."""
PORT = "web"
"""Name of its port unless the object names another."""
POINTS = 240
"""Most samples of one series."""
LEAST_STEP = 15.0
AT_ONCE = 4
"""Queries that are answered side by side."""
LABEL = re.compile(r"{{\s*(\w+)\s*}}")


class NoPrometheus(Exception):
    """The cluster has no Prometheus that can be asked; the text names what to do."""


@dataclass(frozen=True)
class MeasuredSeries:
    """One line of a panel."""

    name: str
    points: tuple[tuple[float, float], ...]
    """Seconds since 1970 and value."""


@dataclass(frozen=True)
class MeasuredPanel:
    """One panel, with what its queries returned."""

    title: str
    unit: str
    """Grafana's identifier, such as `bytes`."""
    series: tuple[MeasuredSeries, ...]
    silent: tuple[str, ...]
    """Queries that returned nothing."""


@dataclass(frozen=True)
class MeasuredDashboard:
    """One dashboard."""

    uid: str
    title: str
    namespace: str
    panels: tuple[MeasuredPanel, ...]


def measured(read: Read, start: float, end: float) -> list[MeasuredDashboard]:
    """Every dashboard of the platform's components, its panels over the time from `start` to `end`.

    Args:
        read: of the API server, which passes queries on to Prometheus.
        start: seconds since 1970, as is `end`.

    Raises:
        NoPrometheus: there is none.
        ValueError: Prometheus refuses a query; the text names it.
    """
    root = prometheus(read)
    step = max(LEAST_STEP, (end - start) / POINTS)
    found = sorted(_dashboards(json.loads(read(DASHBOARDS))), key=lambda one: str(one[1]["title"]))
    panels = [panel for _space, board in found for panel in board["panels"]]

    def answered(panel: Mapping[str, Any]) -> MeasuredPanel:
        return _panel(panel, lambda query: _range(read, root, query, start, end, step))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = iter(list(pool.map(answered, panels)))
    return [
        MeasuredDashboard(
            str(board["uid"]), str(board["title"]), space, tuple(next(answers) for _ in board["panels"])
        )
        for space, board in found
    ]


def prometheus(read: Read) -> str:
    """Path of the API server under which the API of the platform's Prometheus is.

    Raises:
        NoPrometheus: the cluster has no object of the Prometheus operator.
    """
    items = json.loads(read(PROMETHEUSES))["items"]
    if not items:
        raise NoPrometheus("no Prometheus in this cluster: the stack file needs the section `observability`")
    one = items[0]
    port = one["spec"].get("portName") or PORT
    prefix = str(one["spec"].get("routePrefix") or "/").strip("/")
    service = f"/api/v1/namespaces/{one['metadata']['namespace']}/services/{SERVICE}:{port}/proxy"
    return f"{service}/{prefix}".rstrip("/")


def _dashboards(config_maps: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in config_maps["items"]:
        for text in cast(dict[str, str], one.get("data") or {}).values():
            board = json.loads(text)
            if OURS in board.get("tags", ()):
                yield str(one["metadata"]["namespace"]), board


def _panel(panel: Mapping[str, Any], ask: Callable[[str], Sequence[Mapping[str, Any]]]) -> MeasuredPanel:
    series: list[MeasuredSeries] = []
    silent: list[str] = []
    for target in panel["targets"]:
        answer = ask(str(target["expr"]))
        lines = [
            MeasuredSeries(legend(str(target["legendFormat"]), one["metric"]), _points(one["values"]))
            for one in answer
        ]
        lines = [one for one in lines if one.points]
        series += lines
        if not lines:
            silent.append(str(target["expr"]))
    unit = str(panel["fieldConfig"]["defaults"]["unit"])
    return MeasuredPanel(str(panel["title"]), unit, tuple(series), tuple(silent))


def legend(form: str, labels: Mapping[str, str]) -> str:
    """A series' name by Grafana's legend format.

    >>> legend("{{pod}} waits", {"pod": "chat-0"})
    'chat-0 waits'
    """
    return LABEL.sub(lambda match: labels.get(match[1], ""), form).strip()


def _points(values: Sequence[tuple[float, str]]) -> tuple[tuple[float, float], ...]:
    pairs = ((float(when), float(value)) for when, value in values)
    # A quotient of nothing by nothing is no measurement.
    return tuple((when, value) for when, value in pairs if abs(value) < float("inf"))


def _range(read: Read, root: str, query: str, start: float, end: float, step: float) -> Any:
    asked = urlencode({"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"})
    answer = json.loads(read(f"{root}/api/v1/query_range?{asked}"))
    if answer["status"] != "success":
        raise ValueError(f"Prometheus refuses {query}: {answer.get('error', answer)}")
    return answer["data"]["result"]
