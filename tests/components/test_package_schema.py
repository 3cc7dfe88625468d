"""The components as a package: what programs in other languages see."""

import pytest

from corral.components.package import Package
from corral.components.reference import schema as published
from corral.components.surface import components


@pytest.fixture(scope="module")
def schema():
    return published()


def test_every_component_is_in_the_schema(schema):
    assert set(schema["resources"]) == {f"corral:index:{one.__name__}" for one in components()}
    assert all(one["isComponent"] and one["description"] for one in schema["resources"].values())
    assert {"VectorDatabase", "EksGpuNodePool", "GkeGpuNodePool"} <= set(Package()._components)


def test_every_argument_and_output_says_what_it_is(schema):
    bare = [
        f"{name}.{key}"
        for kind in ("resources", "types")
        for name, one in schema[kind].items()
        for section in ("inputProperties", "properties")
        for key, described in (one.get(section) or {}).items()
        if not described.get("description")
    ]
    assert not bare and all(one["description"] for one in schema["types"].values())


def test_credentials_are_secrets_and_names_of_secrets_are_none(schema):
    secrets = {
        f"{name.rpartition(':')[2]}.{key}"
        for kind in ("resources", "types")
        for name, one in schema[kind].items()
        for section in ("inputProperties", "properties")
        for key, described in (one.get(section) or {}).items()
        if described.get("secret")
    }
    assert secrets >= {
        "ModelStorage.accessKey",
        "ModelStorage.encryptionKey",
        "ModelStorage.secretKey",
        "Observability.grafanaPassword",
        "SourceAccess.token",
        "Store.readerSecretKey",
        "Supply.registryAuth",
        "VectorDatabase.credential",
    }
    assert not secrets & {"Supply.pullSecret", "VectorDatabase.secret", "Store.writerSecret"}


def test_go_gets_a_type_for_the_elements_of_every_list(schema):
    assert schema["language"]["go"]["generateExtraInputTypes"] is True


def test_descriptions_have_no_indentation_of_the_source(schema):
    for one in (*schema["resources"].values(), *schema["types"].values()):
        assert "\n    " not in one["description"]


def test_a_component_asks_few_questions(schema):
    asked = {name: resource.get("requiredInputs", []) for name, resource in schema["resources"].items()}
    assert asked["corral:index:KServe"] == ["supply"]
    assert max(map(len, asked.values())) <= 5, asked
