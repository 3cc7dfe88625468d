"""Addon descriptors: complete, in order, and of one version with the toolchain."""

import re
from pathlib import Path

import pytest

from corral.catalogue._read import FOLDER
from corral.catalogue.addons import config_secrets, descriptors, reserved_namespaces, tools_on_demand
from corral.catalogue.charts import charts
from corral.catalogue.images import images
from corral.catalogue.vocabulary import Addon
from corral.embedded.toolchain import needed
from corral.embedded.toolchain import tools as toolchain
from corral.embedded.toolchain.builder import ModulePin
from corral.stacks.config.stack_config import GpuPool, ModelSection, StackConfig

RECIPES = {recipe.name: recipe for recipe in toolchain.TOOLS}
TIES = [(tool, of) for one in descriptors().values() for tool, of in one.tools.items()]
MODULES = Path(toolchain.__file__).parent / "modules"


def catalogue_version(name: str) -> str:
    version = charts()[name].app_version if name in charts() else images()[name].tag
    return version.removeprefix("distroless-").removeprefix("v")


def test_every_descriptor_is_an_addon_by_its_files_name():
    files = {file.stem for file in (FOLDER / "addons").glob("*.yaml")}
    assert {"kserve", "prometheus-crds"} < files
    assert files == {addon.value for addon in Addon} == {addon.value for addon in descriptors()}


def test_an_addon_is_installed_after_what_it_requires_and_what_it_waits_for():
    order = list(descriptors())
    for addon, one in descriptors().items():
        assert set(one.requires) <= set(one.after), addon
        assert all(order.index(other) < order.index(addon) for other in one.after), addon


def test_a_chart_and_an_image_have_one_owner():
    for kind in ("charts", "images"):
        names = [name for one in descriptors().values() for name in getattr(one, kind)]
        assert len(names) == len(set(names)), kind
    keys = [secret.key for one in descriptors().values() for secret in one.secrets]
    assert len(keys) == len(config_secrets())


def test_an_image_that_a_chart_brings_belongs_to_the_addon_of_the_chart():
    for addon, one in descriptors().items():
        assert {row.brought_by for row in one.images.values()} <= {None, *one.charts}, addon


def test_a_section_that_turns_an_addon_on_is_a_section_of_the_stack_file():
    keys = {name.replace("_", "-") for name in StackConfig.model_fields}
    keys |= {f"models[].{name.replace('_', '-')}" for name in ModelSection.model_fields}
    keys |= {f"gpu-pools[].{name.replace('_', '-')}" for name in GpuPool.model_fields}
    assert {one.section for one in descriptors().values()} <= {None, *keys}


def test_namespaces_of_addons_and_of_kubernetes_are_reserved():
    assert {"kyverno", "monitoring", "model-storage", "kube-system", "default"} <= reserved_namespaces()
    assert "" not in reserved_namespaces()


@pytest.mark.parametrize(("tool", "of"), TIES)
def test_the_toolchain_has_the_version_of_the_catalogue(tool: str, of: str):
    assert RECIPES[tool].version == catalogue_version(of)


@pytest.mark.parametrize("tool", [tool for tool, _ in TIES if (MODULES / tool).is_dir()])
def test_a_program_is_built_from_modules_of_the_version_of_the_catalogue(tool: str):
    # KServe's controllers are of one module.
    named = tool.removeprefix("envoy-").replace("llmisvc", "kserve")
    module = re.search(rf"\S+/{named}(?:/v\d+)? v(\S+)", (MODULES / tool / "go.mod").read_text())
    assert module is not None and module[1] == RECIPES[tool].version


@pytest.mark.parametrize(
    ("pin", "of"),
    [
        ("KYVERNO", "kyverno"),
        ("KSERVE", "kserve-resources"),
        ("KUEUE", "kueue"),
        ("CERT_MANAGER", "cert-manager"),
        ("GATEWAY_API", "gateway-crds-helm"),
        ("PROMETHEUS_OPERATOR", "kube-prometheus-stack"),
    ],
)
def test_chart_files_are_copied_from_modules_of_the_version_of_the_catalogue(pin: str, of: str):
    found = getattr(toolchain, pin)
    assert isinstance(found, ModulePin) and found.version.removeprefix("v") == catalogue_version(of)


def test_programs_that_no_package_has_in_the_version_of_their_image_are_no_older():
    builds = re.search(r"b(\d+)$", images()["llama-cpp"].tag)
    assert builds and int(RECIPES["llama"].version.rsplit(".", 1)[1]) >= int(builds[1])
    major = re.search(r"-pg(\d+)$", images()["pgvector"].tag)
    assert major and RECIPES["postgres"].version.split(".")[0] == major[1]
    stated = {tool: of for one in descriptors().values() for tool, of in one.substitutes.items()}
    assert stated == {
        "llama": "llama-cpp",
        "postgres": "pgvector",
        "prometheus": "prometheus",
        "ratelimit": "ratelimit",
    }
    assert images()["prometheus"].tag == f"v{RECIPES['prometheus'].version}-distroless"
    # As a module 3.14.0 is v0.314.0.
    major, minor, patch = RECIPES["prometheus"].version.split(".")
    server = (MODULES / "prometheus" / "go.mod").read_text()
    assert f"github.com/prometheus/prometheus v0.{major}{minor:0>2}.{patch}\n" in server
    gateway = (MODULES / "envoy-gateway" / "go.mod").read_text()
    service = (MODULES / "ratelimit" / "go.mod").read_text()
    pin = re.compile(r"github.com/envoyproxy/ratelimit (v\S+)")
    assert pin.findall(service) == pin.findall(gateway), "what Envoy Gateway is built with"


def test_every_program_is_tied_to_the_catalogue_or_belongs_to_the_plane_and_its_engine():
    tied = {tool for one in descriptors().values() for tool in (*one.tools, *one.substitutes)}
    assert tied <= RECIPES.keys()
    assert RECIPES.keys() - tied == {
        *("etcd", "kwok", "kubernetes", "kubectl", "helm"),
        *("pulumi", "pulumi-cli", "provider", "wheels"),
    }


def test_tools_on_demand_are_brought_for_the_addon_that_names_them_alone():
    ours = {tool for tool, addon in tools_on_demand().items() if addon is Addon.KUEUE}
    assert ours == {"kueue", "kueue-charts"} and ours <= RECIPES.keys()
    assert set(needed([Addon.KUEUE])) - set(needed()) == ours
    assert not ours & set(needed([addon for addon in Addon if addon is not Addon.KUEUE]))
