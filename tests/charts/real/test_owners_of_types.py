"""A resource type has one owner: no two charts of a platform bring the same CustomResourceDefinition."""

import re

import pytest
from tests.charts.in_use import uses
from tests.charts.real.folders import SEPARATOR, definitions, printed

from corral.catalogue.charts import chart

pytestmark = [pytest.mark.engine, pytest.mark.real_charts]

NAME = re.compile(r'^  name: "?([a-z0-9-]+(?:\.[a-z0-9-]+)+)"?$|"name":"([a-z0-9-]+(?:\.[a-z0-9-]+)+)"', re.M)
"""Name of a definition, the first of its text that has a dot."""
CHARTS = ("kserve-crd-minimal", "kserve-resources", "gateway-helm", "kueue", "kyverno", "cert-manager")


def types(name: str) -> set[str]:
    """Names of the resource types that a chart prints with the component's values."""
    values = next(one.values for one in uses() if (one.chart, one.case) == (name, "plain"))
    parts = definitions(printed(name, values, chart(name).namespace)).split(SEPARATOR)
    found = [NAME.search(part) for part in parts if part.strip()]
    return {one[1] or one[2] for one in found if one}


def test_types_of_models_come_from_one_chart_and_no_type_from_two():
    owned = {name: types(name) for name in CHARTS}
    serving = {
        name for name, known in owned.items() if any(one.endswith(".serving.kserve.io") for one in known)
    }
    assert serving == {"kserve-crd-minimal"}
    everything = [one for known in owned.values() for one in known]
    assert len(everything) > 20
    assert len(everything) == len(set(everything)), sorted(everything)
    shared = [
        one for one in everything if ".gateway.networking.k8s.io" in one or ".inference.networking" in one
    ]
    assert shared == [], (
        "those of gateways are the addon gateway-api's, and those of inference pools nobody's"
    )
