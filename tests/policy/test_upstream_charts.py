"""The pack evaluates every object of the real charts, as they were rendered, without an error."""

import os
from pathlib import Path

import pytest

from corral.controls.cel import prepared
from corral.controls.control import ObjectRule
from corral.controls.evaluate import evaluate_object
from corral.controls.kinds import PLAIN_KINDS
from corral.controls.profiles import PROFILES
from corral.controls.register import CONTROLS
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
            has_pods = workload["kind"] not in PLAIN_KINDS
            assert not has_pods or ready.values["images"], f"{manifest}: {workload['kind']} has no image"
            for control in RULES:
                evaluate_object(control, ready, PROFILES["eu-resident"])


def test_what_is_denied_of_the_real_charts_is_their_images_alone() -> None:
    found = {
        control.id
        for manifest in manifests()
        for ready in map(prepared, rendered_workloads(manifest.read_text()))
        for control in RULES
        if evaluate_object(control, ready, PROFILES["eu-resident"])
    }
    assert found <= {"SOV-SUP-01", "SOV-SUP-02"}


def test_no_test_hook_of_a_real_chart_is_evaluated() -> None:
    images = [
        image
        for manifest in manifests()
        for workload in rendered_workloads(manifest.read_text())
        for image in prepared(workload).values.get("images", ())
    ]
    assert not [image for image in images if "bats" in image or "bci-base" in image]
