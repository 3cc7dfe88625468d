"""What a scaled model makes, against KEDA's own resource types, strictly."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from tests.components.test_model import FOLLOWED, scaled

from corral.embedded import toolchain

KINDS = {
    "ScaledObject": ("keda-stand-in", "keda.sh_scaledobjects.yaml", "v1alpha1"),
    "InterceptorRoute": ("keda-http-stand-in", "http.keda.sh_interceptorroutes.yaml", "v1beta1"),
}


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema of a kind; a field that it does not name is none."""
    name, file, version = KINDS[kind]
    chart = toolchain.chart(name)
    if chart is None:
        pytest.skip(f"chart {name} is not set up: corral setup --addon keda")
    (text,) = [
        line for line in (chart / "templates" / file).read_text().splitlines() if line[0] == "{" != line[1]
    ]
    versions = json.loads(text)["spec"]["versions"]
    (found,) = [one["schema"]["openAPIV3Schema"] for one in versions if one["name"] == version]
    # The server knows what metadata has.
    found["properties"]["metadata"] = {}
    return closed(found)


def closed(given: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, with no room for properties beside those that it has."""
    result = dict(given)
    if "properties" in result:
        result["properties"] = {key: closed(one) for key, one in result["properties"].items()}
        if not result.get("x-kubernetes-preserve-unknown-fields"):
            result.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = closed(result[key])
    return result


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"scaling": {"cooldown_seconds": 5, "request_rate": 2, "keda": "keda"}},
        {"scaling": {**FOLLOWED, "triggers": [{"metric": "waiting-requests", "threshold": 2}]}},
    ],
)
def test_every_object_of_a_scaled_model_is_one_that_keda_takes(kind: str, more: dict[str, Any]):
    made = scaled(**more).one(kind).inputs
    jsonschema.validate(made, schema(kind))


@pytest.mark.parametrize(
    ("kind", "field", "wrong"),
    [
        ("ScaledObject", "minReplicas", 0),
        ("ScaledObject", "minReplicaCount", "none"),
        ("InterceptorRoute", "rule", []),
        ("InterceptorRoute", "target", {"service": "x", "ports": 80}),
    ],
)
def test_a_wrong_field_is_noticed(kind: str, field: str, wrong: Any):
    made = copy.deepcopy(scaled().one(kind).inputs)
    made["spec"][field] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(made, schema(kind))
