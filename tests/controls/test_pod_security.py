"""The pack says of Kubernetes' own test pods what Pod Security says, at both levels and wherever they are."""

import json
import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import PROFILES
from corral.controls.register import control
from corral.controls.verdicts import Outcome
from corral.policy.state import evaluation

pytestmark = pytest.mark.upstream
COUNTS = {
    ("baseline", "fail"): 29,
    ("baseline", "pass"): 11,
    ("restricted", "fail"): 69,
    ("restricted", "pass"): 19,
}
"""Pods of Kubernetes 1.33, as README.md of the fixtures counts them."""
CONTROLS = {"SOV-POD-01", "SOV-POD-10"}
CLUSTER = "urn:pulumi:s::p::pulumi:providers:kubernetes::cluster"


def pods(level: str, verdict: str) -> list[tuple[str, dict[str, Any]]]:
    root = Path(os.environ.get("CORRAL_UPSTREAM", Path(__file__).parents[3] / "shared" / "upstream")).parent
    found = sorted((root / "fixtures" / "pod-security" / "v1.33" / level / verdict).glob("*.yaml"))
    if not found:
        pytest.skip(f"no pods of Pod Security in {root}; set CORRAL_UPSTREAM")
    assert len(found) == COUNTS[level, verdict]
    return [(one.stem, yaml.safe_load(one.read_text())) for one in found]


def placed(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The pod itself, with its init containers as a debugger's, and as a template."""
    debugged = deepcopy(pod)
    debugged["spec"]["ephemeralContainers"] = debugged["spec"].pop("initContainers", [])
    template = {"metadata": pod["metadata"], "spec": pod["spec"]}
    return {
        "core/v1:Pod": pod,
        "core/v1:PodPatch": debugged,
        "apps/v1:Deployment": {"kind": "Deployment", "spec": {"template": template}},
        "batch/v1:CronJob": {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": template}}}},
    }


def recorded(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    urn = f"urn:pulumi:s::p::kubernetes:{token}::{name}"
    own = {"type": f"kubernetes:{token}", "custom": True, "inputs": inputs, "provider": f"{CLUSTER}::0a"}
    return {"urn": urn, **own}


def stopped(level: str, found: list[tuple[str, dict[str, Any]]], profile: str) -> set[tuple[str, str]]:
    """Names and places of the pods that the whole pack stops in a namespace of `level`."""
    labels = {"pod-security.kubernetes.io/enforce": level}
    space = recorded("core/v1:Namespace", "apps", {"metadata": {"name": "apps", "labels": labels}})
    cluster: dict[str, Any] = {
        "urn": CLUSTER,
        "type": "pulumi:providers:kubernetes",
        "custom": True,
        "inputs": {},
    }

    def stack() -> Iterator[dict[str, Any]]:
        for name, pod in found:
            for token, subject in placed(pod).items():
                metadata = {**subject.get("metadata", {}), "name": name, "namespace": "apps"}
                yield recorded(token, name, {**subject, "metadata": metadata})

    config = {"corral:platform": json.dumps({"sovereignty": {"profile": profile}})}
    findings = evaluation(config, [cluster, space, *stack()]).findings
    return {
        (one.urn.rpartition("::")[2], one.urn.split("::")[2].removeprefix("kubernetes:"))
        for one in findings
        if one.control in CONTROLS and one.outcome is Outcome.VIOLATED
    }


@pytest.mark.parametrize(("level", "verdict"), COUNTS)
def test_the_pack_stops_what_its_namespace_refuses_and_nothing_else(level: str, verdict: str) -> None:
    found = pods(level, verdict)
    every = {(name, token) for name, pod in found for token in placed(pod)}
    assert stopped(level, found, "eu-resident") == (every if verdict == "fail" else set())


def test_what_is_only_less_than_restricted_passes_in_a_namespace_of_the_baseline() -> None:
    baseline = pods("baseline", "pass")
    assert not stopped("baseline", baseline, "air-gapped")
    assert len({name for name, _ in stopped("restricted", baseline, "air-gapped")}) == len(baseline)


def test_a_lab_is_only_told() -> None:
    assert not stopped("restricted", pods("restricted", "fail"), "open")


@pytest.mark.parametrize("verdict", ("fail", "pass"))
def test_every_pod_of_the_baseline_gets_the_verdict_of_kubernetes(verdict: str) -> None:
    wrong = [
        f"{name} {place}"
        for name, pod in pods("baseline", verdict)
        for place, subject in placed(pod).items()
        if bool(evaluate_object(control("SOV-POD-01"), subject, PROFILES["eu-resident"]))
        is not (verdict == "fail")
    ]
    assert not wrong, "\n".join(wrong)
