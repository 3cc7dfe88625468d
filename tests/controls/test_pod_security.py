"""SOV-POD-01 says of Kubernetes' own test pods what Pod Security's baseline says, wherever they are."""

import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import PROFILES
from corral.controls.register import control

pytestmark = pytest.mark.upstream
COUNTS = {"fail": 29, "pass": 11}
"""Pods of the baseline of Kubernetes 1.33, as README.md of the fixtures counts them."""


def pods(verdict: str) -> list[tuple[str, dict[str, Any]]]:
    root = Path(os.environ.get("CORRAL_UPSTREAM", Path(__file__).parents[3] / "shared" / "upstream")).parent
    found = sorted((root / "fixtures" / "pod-security" / "v1.33" / "baseline" / verdict).glob("*.yaml"))
    if not found:
        pytest.skip(f"no pods of Pod Security in {root}; set CORRAL_UPSTREAM")
    return [(one.stem, yaml.safe_load(one.read_text())) for one in found]


def placed(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The pod itself, with its init containers as a debugger's, and as a template."""
    debugged = deepcopy(pod)
    debugged["spec"]["ephemeralContainers"] = debugged["spec"].pop("initContainers", [])
    template = {"metadata": pod["metadata"], "spec": pod["spec"]}
    return {
        "alone": pod,
        "debugged": debugged,
        "of a Deployment": {"kind": "Deployment", "spec": {"template": template}},
        "of a CronJob": {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}},
    }


@pytest.mark.parametrize("verdict", COUNTS)
def test_every_pod_of_the_baseline_gets_the_verdict_of_kubernetes(verdict: str) -> None:
    found = pods(verdict)
    assert len(found) == COUNTS[verdict]
    wrong = [
        f"{name} {place}"
        for name, pod in found
        for place, subject in placed(pod).items()
        if bool(evaluate_object(control("SOV-POD-01"), subject, PROFILES["eu-resident"]))
        is not (verdict == "fail")
    ]
    assert not wrong, "\n".join(wrong)
