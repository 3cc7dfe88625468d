"""Upstream's own charts under every set of values that the components write, as the policy pack sees them."""

import re
from collections.abc import Iterator

import pytest
from tests.charts.in_use import Use, pinned, uses
from tests.charts.real.folders import documents, printed

from corral.catalogue.charts import charts
from corral.catalogue.images import images, mirrored
from corral.controls.cel import prepared
from corral.controls.control import ObjectRule
from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import PROFILES, profile
from corral.controls.register import CONTROLS
from corral.controls.workloads import workloads

pytestmark = [pytest.mark.engine, pytest.mark.real_charts]
RULES = [one for one in CONTROLS if isinstance(one.rule, ObjectRule) and not one.rule.classified]
STRICT = sorted(PROFILES.keys() - {"open"})
PINNED = pinned()
BY_DIGEST = re.compile(r"^[^@ ]+@sha256:[a-f0-9]{64}$")


def violations(use: Use, name: str, more: dict | None = None) -> Iterator[str]:
    limits = profile(name, registry=use.registry)
    for document in documents(printed(use.chart, {**use.values, **(more or {})}, "here")):
        for workload in workloads(document):
            ready = prepared(workload)
            for control in RULES:
                for message in evaluate_object(control, ready, limits):
                    yield f"{name} {control.id} {workload['kind']} {document['metadata']['name']}: {message}"


def test_every_chart_of_the_catalogue_is_rendered_with_the_values_that_it_gets():
    assert {use.chart for use in uses()} == set(charts())


@pytest.mark.parametrize("use", uses(), ids=str)
def test_a_real_chart_renders_and_pulls_from_where_the_stack_says(use):
    found = [one for one in violations(use, "open") if "SOV-SUP-02" not in one]
    assert found == [], "digests are unresolved"


@pytest.mark.parametrize("use", PINNED, ids=str)
def test_a_real_chart_with_resolved_digests_breaks_no_control_of_any_profile(use):
    assert [one for name in STRICT for one in violations(use, name)] == []


def test_an_image_of_elsewhere_is_noticed():
    use = next(one for one in PINNED if str(one) == "gpu-operator-mirrored")
    wrong = {"operator": {"repository": "docker.io/somebody", "version": "v1"}}
    assert {one.split()[1] for one in violations(use, "eu-resident", wrong)} == {"SOV-SUP-01", "SOV-SUP-02"}


SANDBOXES = {"vgpuManager", "vgpuDeviceManager", "vfioManager", "sandboxDevicePlugin"}
"""Operands that the GPU operator starts only with `sandboxWorkloads.enabled`, which its chart has off."""


def references(value: object) -> Iterator[str]:
    """Whatever reads as a reference of a catalogue's repository: fields and arguments of programs."""
    match value:
        case dict():
            if value.get("enabled") is False:
                return
            if {"repository", "image", "version"} <= value.keys():
                yield f"{value['repository']}/{value['image']}:{value['version']}"
            sandboxes = (value.get("sandboxWorkloads") or {}).get("enabled") is False
            for key, inner in value.items():
                if not (sandboxes and key in SANDBOXES):
                    yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)
        case str():
            yield value.rpartition("=")[2]
        case _:
            pass


@pytest.mark.parametrize("use", [one for one in PINNED if one.registry], ids=str)
def test_what_an_operator_is_told_to_start_comes_from_the_mirror_by_digest(use):
    known = {one.repository: one for one in images().values()}
    text = [
        one for document in documents(printed(use.chart, use.values, "here")) for one in references(document)
    ]
    for name, entry in known.items():
        upstream = re.compile(rf"^{re.escape(name)}([:@]\S+)?$")
        assert not [one for one in text if upstream.match(one)], f"{name} does not come from the mirror"
        if entry.unresolvable is None:
            ours = re.compile(rf"^{re.escape(mirrored(name, use.registry))}:\S+$")
            assert [one for one in text if ours.match(one) and not BY_DIGEST.match(one)] == []
