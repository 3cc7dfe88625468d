"""Where upstream's own charts are on this machine, and what they print."""

import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.commands import helm_template

from corral.catalogue.charts import chart
from corral.embedded import toolchain
from corral.embedded.home import Home
from corral.embedded.plane.charts import WRAPPED

VARIABLE = "CORRAL_CHARTS"
KUBERNETES = "1.35.4"
TYPE = re.compile(
    r"^kind: [\"']?CustomResourceDefinition|^\{.*\"kind\":\"CustomResourceDefinition\"", re.MULTILINE
)
"""A document that is a resource type, as YAML or as JSON."""
SEPARATOR = "\n---\n"


def folder(name: str) -> Path:
    """The unpacked chart; a test that needs one which is nowhere is skipped, and says what brings it."""
    given = os.environ.get(VARIABLE)
    places = [Path(given)] if given else [Home.find().charts]
    found = next((one / name for one in places if (one / name / "Chart.yaml").is_file()), None)
    if found is None and name not in WRAPPED:
        found = toolchain.chart(name)
    if found is None:
        pytest.skip(f"no chart {name} in {places[0]}: run `corral setup charts`, or set {VARIABLE}")
    version = str(yaml.safe_load((found / "Chart.yaml").read_text())["version"])
    pinned = chart(name).version
    assert version.removeprefix("v") == pinned.removeprefix("v"), f"{found} is {version}, pinned is {pinned}"
    return found


def printed(name: str, values: Mapping[str, Any], namespace: str) -> str:
    """What Helm prints for the chart, its hooks among it."""
    return _printed(name, json.dumps(values, sort_keys=True), namespace)


@lru_cache(maxsize=128)
def _printed(name: str, values: str, namespace: str) -> str:
    place = folder(name)
    return helm_template(name, place, json.loads(values), "--kube-version", KUBERNETES, namespace=namespace)


def documents(text: str) -> list[dict[str, Any]]:
    """Objects that Helm installs, of hooks all but the tests; resource types are left out."""
    read = (yaml.load(part, Loader=yaml.CSafeLoader) for part in _parts(text) if not TYPE.search(part))
    return [one for one in read if one and not _is_test(one)]


def definitions(text: str) -> str:
    """Resource types alone, as they were printed: megabytes, which nobody here reads."""
    return SEPARATOR.join(part for part in _parts(text) if TYPE.search(part))


def _parts(text: str) -> list[str]:
    return re.split(r"^---\s*$", text, flags=re.MULTILINE)


def _is_test(document: Mapping[str, Any]) -> bool:
    annotations = document["metadata"].get("annotations") or {}
    return str(annotations.get("helm.sh/hook") or "").startswith("test")
