"""A Prometheus of the toolchain with the platform's rules, which scrapes exporters that are files."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx
import pytest
from tests.alerts import platform
from tests.components.harness import Graph
from tests.doubles.servers import Handler, free_port, listening
from tests.replay.exporters import PLATFORM, Exporter, of_model, of_service, printed

from corral.catalogue.vocabulary import Addon
from corral.embedded.toolchain import ensure, needed, tool

SETTLED_SECONDS = 20
"""Several scrapes and evaluations, each within a second, on a busy machine."""
SCRAPED_SECONDS = 60


class Exporters(Handler):
    """Each exporter below its own name."""

    since: ClassVar[float]
    known: ClassVar[dict[str, Exporter]] = {}
    trouble: ClassVar[bool] = False
    down: ClassVar[bool] = False

    def do_GET(self) -> None:
        one = self.known.get(self.path.strip("/"))
        if one is None or self.down:
            self.answer(503)
            return
        text = printed(one.file, time.monotonic() - self.since, trouble=self.trouble)
        self.answer(200, text.encode(), {"Content-Type": "text/plain; version=0.0.4"})


@dataclass
class Replay:
    """The Prometheus, and the platform that its rules and queries are of."""

    graphs: list[Graph]
    client: httpx.Client
    exporters: type[Exporters]
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def ask(self, what: str, **values: str) -> Any:
        answer = self.client.get(f"/api/v1/{what}?{urlencode(values)}").raise_for_status().json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def values(self, query: str) -> list[float]:
        return [float(one["value"][1]) for one in self.ask("query", query=query)["result"]]

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def firing(self) -> set[str]:
        return {rule["name"] for rule in self.rules() if rule.get("state") == "firing"}


def queries(graphs: list[Graph]) -> set[tuple[str, str, str]]:
    """Title of the dashboard, title of the panel, and the query of each line that is drawn."""
    return {
        (board["title"], panel["title"], target["expr"])
        for graph in graphs
        for one in graph.of("ConfigMap")
        if one.inputs["metadata"].get("labels", {}).get("grafana_dashboard")
        for text in one.inputs["data"].values()
        for board in [json.loads(text)]
        for panel in board["panels"]
        for target in panel["targets"]
    }


def _groups(graphs: list[Graph]) -> list[dict[str, Any]]:
    """Rules as written, but for the time that an alert waits: promtool has that (tests/alerts)."""
    found = {
        json.dumps(group["rules"]): f"{one.namespace}/{one.object_name}"
        for graph in graphs
        for one in graph.of("PrometheusRule")
        for group in one.inputs["spec"]["groups"]
    }
    return [
        {
            "name": f"{name}/{number}",
            "rules": [{**rule, "for": "0s"} if "alert" in rule else rule for rule in json.loads(rules)],
        }
        for number, (rules, name) in enumerate(found.items())
    ]


def _models(graphs: list[Graph]) -> list[Exporter]:
    runtimes = {
        (one.object_name, one.namespace or ""): one.inputs["spec"]["predictor"]["model"]["runtime"]
        for one in graphs[0].of("InferenceService")
    }
    sides = [
        of_service(f"{one.object_name}-{side}", one.namespace or "", "vllm")
        for one in graphs[0].of("LLMInferenceService")
        for side in ("decode", "prefill")
    ]
    return [
        *(of_model(*model, runtime.removeprefix("corral-")) for model, runtime in runtimes.items()),
        *sides,
    ]


def _scrape(one: Exporter, host: str) -> dict[str, Any]:
    return {
        "job_name": one.name,
        "metrics_path": f"/{one.name}",
        "honor_labels": one.honest,
        "static_configs": [{"targets": [host], "labels": dict(one.labels)}],
    }


@pytest.fixture(scope="package")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    ensure(needed([Addon.OBSERVABILITY]), lambda _line: None)
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("prometheus")
    graphs = platform.graphs(home)
    exporters = [*PLATFORM, *_models(graphs)]
    Exporters.known = {one.name: one for one in exporters}
    Exporters.since = time.monotonic()
    with listening(Exporters) as host:
        rules, config, port = folder / "rules.json", folder / "prometheus.json", free_port()
        rules.write_text(json.dumps({"groups": _groups(graphs)}))
        config.write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": [rules.name],
                    "scrape_configs": [_scrape(one, host) for one in exporters],
                }
            )
        )
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    str(tool("prometheus")),
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )
            try:
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                    yield Replay(graphs, client, Exporters, process)
            finally:
                process.terminate()
                process.wait(30)
