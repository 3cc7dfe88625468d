"""The components as a package: what programs in other languages see."""

import importlib
import pkgutil

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer
from pulumi.provider.experimental.schema import generate_schema

import corral.components
from corral.components.surface import COMPONENTS


@pytest.fixture(scope="module")
def schema():
    found = Analyzer("corral").analyze(COMPONENTS)
    return generate_schema(
        "corral",
        "0.1.0",
        None,
        found["component_definitions"],
        found["type_definitions"],
        found["dependencies"],
    ).to_json()


def test_every_component_of_the_rooms_is_on_the_surface():
    defined = set()
    for module in pkgutil.walk_packages(corral.components.__path__, "corral.components."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, pulumi.ComponentResource):
                defined.add(value)
    ours = {found for found in defined if found.__module__.startswith("corral.components.")}
    assert ours == set(COMPONENTS)


def test_the_schema_names_each_component_and_describes_each_of_its_inputs(schema):
    for component in COMPONENTS:
        resource = schema["resources"][f"corral:index:{component.__name__}"]
        assert resource["isComponent"] and resource["description"]
        bare = [name for name, given in resource["inputProperties"].items() if not given.get("description")]
        assert not bare, f"{component.__name__} has inputs that say nothing of themselves: {bare}"


def test_a_component_asks_few_questions(schema):
    asked = {name: resource.get("requiredInputs", []) for name, resource in schema["resources"].items()}
    assert asked["corral:index:KServe"] == ["supply"]
    assert max(map(len, asked.values())) <= 5, asked
