"""Which Prometheus the triggers of a scaled model ask."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
from tests.components.harness import Graph, build
from tests.deploy.test_platform import SECRETS, content, started

from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan

TRIGGERS = [{"metric": "waiting-requests", "threshold": 3}, {"metric": "generated-tokens", "threshold": 90}]


def deployed(home: Path, patch: pytest.MonkeyPatch, **more: Any) -> Graph:
    started(home, patch)
    dev: dict[str, Any] = content()
    scaled, *others = dev["models"]
    models = [{**scaled, "scaling": {"min": 0, "max": 2, "triggers": TRIGGERS}}, *others]
    stack = {**dev, "gateway": {"host": "models.example.eu"}, "models": models, **more}

    def program() -> None:
        for name, value in Platform(plan(parse(stack), "dev")).outputs.items():
            pulumi.export(name, value)

    served = {"spec": {"versions": [{"name": "v1", "served": True}]}}
    found = {f"{kind}.monitoring.coreos.com": served for kind in ("prometheuses", "servicemonitors")}
    return build(program, secret_config=SECRETS, stack="dev", found=found)


def asked(graph: Graph) -> list[tuple[str, str]]:
    _, *triggers = graph.one("ScaledObject").inputs["spec"]["triggers"]
    return [(one["name"], one["metadata"]["serverAddress"]) for one in triggers]


def test_triggers_ask_the_platform_s_prometheus(tmp_path, monkeypatch):
    server = "http://monitoring-prometheus.monitoring.svc:9090"
    assert asked(deployed(tmp_path, monkeypatch)) == [
        ("waiting-requests", server),
        ("generated-tokens", server),
    ]


def test_triggers_ask_the_prometheus_that_is_there_by_the_service_of_its_operator(tmp_path, monkeypatch):
    there = {"prometheus-crds": "existing", "observability": "existing"}
    server = "http://prometheus-operated.monitoring.svc:9090"
    assert {address for _, address in asked(deployed(tmp_path, monkeypatch, addons=there))} == {server}
