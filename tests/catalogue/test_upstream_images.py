"""Images that the real charts name, as upstream prints them for our values, are those of the catalogue."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.catalogue.images import images, mirrored

pytestmark = pytest.mark.upstream
ROOT = Path(os.environ.get("CORRAL_UPSTREAM", Path(__file__).parents[3] / "shared" / "upstream")) / "rendered"
MIRROR = "registry.example.eu/mirror"


def pod_spec(document: dict[str, Any]) -> dict[str, Any]:
    """Of a pod template, or of the pod that a Prometheus or Alertmanager stands for; empty: neither."""
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return {}
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec.get("template", {}).get("spec", {}) if "template" in spec else spec


def named(document: dict[str, Any]) -> Iterator[str]:
    spec = pod_spec(document)
    for key in ("initContainers", "containers"):
        yield from (one["image"] for one in spec.get(key) or [] if "image" in one)
    if document["kind"] in ("Prometheus", "Alertmanager"):
        yield spec["image"]


@pytest.mark.parametrize("variant", ["dev", "eks-al2023", "gke-cos", "onprem-mirror"])
def test_every_image_that_a_chart_prints_is_in_the_catalogue_with_its_tag(variant: str):
    if not ROOT.is_dir():
        pytest.skip(f"no upstream data in {ROOT}; set CORRAL_UPSTREAM")
    registry = MIRROR if variant == "onprem-mirror" else None
    known = {f"{mirrored(one.repository, registry)}:{one.tag}" for one in images().values()}
    seen = set[str]()
    for file in (ROOT / variant).glob("*.yaml"):
        if file.name.endswith(".values.yaml"):
            continue
        for document in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
            if not document or "helm.sh/hook" in (document["metadata"].get("annotations") or {}):
                continue
            seen |= set(named(document))
    assert seen, "the copies name images"
    assert not seen - known
