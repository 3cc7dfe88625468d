"""Pack and admission on every object of the real charts, as they were rendered for the values of 0.1.0."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.components.admission.guarded import refusals

from corral.components.admission.render import native_policy
from corral.controls.cel import prepared
from corral.controls.control import ObjectRule
from corral.controls.evaluate import evaluate_object
from corral.controls.kinds import PLAIN_KINDS
from corral.controls.profiles import PROFILES, Profile, profile
from corral.controls.register import CONTROLS
from corral.controls.scope import Scope
from corral.controls.workloads import PART
from corral.policy.rendered import rendered_workloads

pytestmark = pytest.mark.upstream
RULES = [one for one in CONTROLS if isinstance(one.rule, ObjectRule)]


def manifests() -> list[Path]:
    root = Path(os.environ.get("CORRAL_UPSTREAM", Path(__file__).parents[3] / "shared" / "upstream"))
    found = sorted(one for one in (root / "rendered").glob("*/*.yaml") if ".values" not in one.suffixes)
    if not found:
        pytest.skip(f"no rendered charts in {root}; set CORRAL_UPSTREAM")
    return found


def test_every_object_of_the_real_charts_is_evaluated() -> None:
    for manifest in manifests():
        workloads = rendered_workloads(manifest.read_text())
        assert workloads, manifest
        for workload in workloads:
            ready = prepared(workload)
            has_pods = workload["kind"] not in PLAIN_KINDS and workload["apiVersion"] != PART
            assert not has_pods or ready.values["images"], f"{manifest}: {workload['kind']} has no image"
            for control in RULES:
                evaluate_object(control, ready, PROFILES["eu-resident"])


def test_what_is_denied_of_the_real_charts_is_their_images_alone() -> None:
    found = {
        control.id
        for _where, limits, workload in subjects()
        for ready in [prepared(workload)]
        for control in RULES
        if evaluate_object(control, ready, limits)
    }
    assert found <= {"SOV-SUP-01", "SOV-SUP-02"}


def test_no_test_hook_of_a_real_chart_is_evaluated() -> None:
    images = [
        image
        for manifest in manifests()
        for workload in rendered_workloads(manifest.read_text())
        for image in prepared(workload).values.get("images", ())
    ]
    assert images and not [image for image in images if "bats" in image or "bci-base" in image]


CHARTS = {"cert-manager", "dra-driver-nvidia-gpu", "gpu-operator", "kube-prometheus-stack", "qdrant"}
MIRROR = "registry.example.eu/mirror"


def subjects() -> Iterator[tuple[str, Profile, dict[str, Any]]]:
    """Every workload with the profile of a stack that has such values."""
    for manifest in manifests():
        registry = MIRROR if manifest.parent.name == "onprem-mirror" else None
        for workload in rendered_workloads(manifest.read_text()):
            stored = without_nulls(workload)
            yield f"{manifest.parent.name} {manifest.stem}", profile("eu-resident", registry=registry), stored


def without_nulls(value: Any) -> Any:
    """What the API server hands to admission: a null is no field."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def test_every_chart_of_which_there_is_a_copy_is_evaluated() -> None:
    assert {manifest.stem for manifest in manifests()} == CHARTS


def test_admission_says_of_every_object_what_the_pack_says() -> None:
    seen = 0
    for where, limits, workload in subjects():
        ready = prepared(workload)
        for control in RULES:
            assert isinstance(control.rule, ObjectRule)
            if workload["kind"] not in control.rule.kinds or workload["apiVersion"] == PART:
                continue
            policy = native_policy(control, limits, Scope(), own_serving=True)
            refused = bool(refusals(policy, workload))
            evaluated = bool(evaluate_object(control, ready, limits))
            assert refused == evaluated, (
                f"{where}: {workload['kind']} {workload['metadata']['name']}: {control.id}"
            )
            seen += 1
    assert seen > len(RULES)


def test_values_of_a_release_without_digests_break_no_control_but_that_of_digests() -> None:
    broken = {
        control.id
        for _where, limits, workload in subjects()
        for ready in [prepared(workload)]
        for control in RULES
        if evaluate_object(control, ready, limits)
    }
    assert broken == {"SOV-SUP-02"}
