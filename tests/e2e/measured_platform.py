"""The Prometheus of a platform, as tests ask it."""

import json
import time
from typing import Any
from urllib.parse import urlencode

from tests.e2e.platform_client import Platform, wait_for

from corral.stacks.reports.dashboards import MeasuredDashboard, measured
from corral.stacks.reports.dashboards.measured import prometheus as root_of

POD = "prometheus-monitoring-prometheus-0"
READY_SECONDS = 90
SCRAPED_SECONDS = 120
"""Two scrapes and an evaluation, each within 30 s, and what a busy machine needs."""
WINDOW_SECONDS = 900


class Prometheus:
    """The platform's Prometheus, through the API server."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._root = root_of(self.read)

    def read(self, path: str) -> str:
        return self._platform.kubectl("get", "--raw", path)

    def ask(self, what: str, **values: str) -> Any:
        answer = json.loads(self.read(f"{self._root}/api/v1/{what}?{urlencode(values)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def value(self, query: str) -> float | None:
        """Of the only series; None: there is none."""
        found = self.ask("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else None

    def targets(self) -> dict[str, list[dict[str, Any]]]:
        """Active targets by the monitor that found them."""
        result: dict[str, list[dict[str, Any]]] = {}
        for one in self.ask("targets", state="active")["activeTargets"]:
            result.setdefault(one["scrapePool"], []).append(one)
        return result

    def boards(self) -> dict[str, MeasuredDashboard]:
        """By the name of the component."""
        now = time.time()
        return {one.uid.rpartition("-")[0]: one for one in measured(self.read, now - WINDOW_SECONDS, now)}

    def states(self, alert: str) -> dict[str, str]:
        """State of every rule of this name by its group."""
        groups = self.ask("rules", type="alert")["groups"]
        return {
            group["name"]: one["state"] for group in groups for one in group["rules"] if one["name"] == alert
        }


def ready(platform: Platform) -> Prometheus:
    """The platform's Prometheus, once its operator has made it and it answers."""

    def answers() -> bool:
        found = platform.try_kubectl("get", "pod", POD, "-n", "monitoring", "-o", "json")
        conditions = json.loads(found.out)["status"].get("conditions", []) if found.code == 0 else []
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    wait_for(answers, READY_SECONDS, "the operator has made a Prometheus, and it is ready")
    return Prometheus(platform)
