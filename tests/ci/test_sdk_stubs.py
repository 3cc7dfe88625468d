"""The stubs that types are checked against, beside the SDKs that they are made of."""

import ast
import importlib.util
import inspect
from pathlib import Path

import pulumi_aws
import pulumi_gcp
import pulumi_kubernetes
import pytest

SCRIPT = Path(__file__).parents[2] / "ci" / "sdk_stubs.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("sdk_stubs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("package", "module", "name", "real"),
    [
        ("pulumi_gcp", "dns", "RecordSet", lambda: pulumi_gcp.dns.RecordSet),
        ("pulumi_aws", "kms", "Key", lambda: pulumi_aws.kms.Key),
        ("pulumi_kubernetes", "batch.v1", "Job", lambda: pulumi_kubernetes.batch.v1.Job),
    ],
)
def test_a_stub_takes_what_the_resource_takes(script, package, module, name, real):
    [made] = ast.parse(script.stubs(package, {(module, name)})[module][name]).body
    taken = [
        {one.arg for one in (*method.args.args, *method.args.kwonlyargs)}
        for method in made.body
        if isinstance(method, ast.FunctionDef) and method.name == "__init__"
    ]
    inputs = set(inspect.signature(real()._internal_init).parameters) - {"__props__"}
    assert inputs in [one - {"__props__"} for one in taken], sorted(inputs)
    outputs = {one for one, value in vars(real()).items() if isinstance(value, property)}
    assert outputs <= {one.name for one in made.body if isinstance(one, ast.FunctionDef)}


def test_what_a_signature_refers_to_comes_with_it_and_what_no_sdk_has_does_not(script):
    made = script.stubs("pulumi_gcp", {("dns", "ManagedZone"), ("dns", "NoSuchThing")})["dns"]
    assert {"ManagedZone", "ManagedZonePrivateVisibilityConfigNetworkArgs"} <= set(made)
    assert "outputs.ManagedZonePrivateVisibilityConfig" in made
    assert not {"NoSuchThing", "RecordSet"} & set(made)


def test_what_another_module_of_the_sdk_has_comes_from_there(script, tmp_path):
    made = script.stubs("pulumi_kubernetes", {("apps.v1", "DaemonSet")})
    assert "PodSpecArgs" in made["core.v1"] and "outputs.PodSpec" in made["core.v1"]
    script.write(tmp_path, "pulumi_kubernetes", made)
    folder = tmp_path / "pulumi_kubernetes"
    assert "from pulumi_kubernetes import core as _core\n" in (folder / "apps/v1/outputs.pyi").read_text()
    assert "from pulumi_kubernetes.core import v1 as v1\n" in (folder / "core/__init__.pyi").read_text()
    assert "from pulumi_kubernetes import apps as apps\n" in (folder / "__init__.pyi").read_text()


def test_every_name_of_an_sdk_that_the_sources_use_is_found(script):
    used = script.used()
    assert set(used) == {"pulumi_aws", "pulumi_gcp", "pulumi_kubernetes"}
    assert ("compute", "Network") in used["pulumi_gcp"] and ("ec2", "Vpc") in used["pulumi_aws"]
    assert {("", "Provider"), ("core.v1", "Secret")} <= used["pulumi_kubernetes"]
