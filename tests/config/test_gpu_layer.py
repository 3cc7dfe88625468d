"""`gpu-layer`: the recipe of NVIDIA AICR says which addons are on the cluster already."""

import pytest
import yaml
from tests.stacks.stack_files import pool, stack

from corral.catalogue.vocabulary import Addon, AddonState, Allocator
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.planning.planner import plan

COMPONENTS = (
    "cert-manager",
    "kube-prometheus-stack",
    "gpu-operator",
    "nvidia-dra-driver-gpu",
    "kai-scheduler",
)
EXISTING, MANAGED, OFF = AddonState.EXISTING, AddonState.MANAGED, AddonState.OFF
NODES = [pool(nodes={"names": ["gpu-1", "gpu-2"]})]


def component(name, **overrides):
    """A component as `aicr recipe` writes it."""
    source = "https://charts.example.eu"
    return {"name": name, "type": "Helm", "source": source, "version": "v1.0.0", "overrides": overrides}


def recipe(*components, **changes):
    return {
        "apiVersion": "aicr.run/v1alpha2",
        "kind": "RecipeResult",
        "metadata": {"version": "v0.22.0", "appliedOverlays": ["base", "eks", "h100-eks-inference"]},
        "criteria": {"service": "eks", "accelerator": "h100", "intent": "inference"},
        "componentRefs": list(components or map(component, COMPONENTS)),
        **changes,
    }


@pytest.fixture
def planned(tmp_path):
    """The plan of a stack over a recipe beside its file; `skip` of the layer, and sections of the file."""

    def planned(content, *, skip=(), **sections):
        (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(content) if content is not None else "a: [")
        layer = {"recipe": "recipe.yaml", **({"skip": list(skip)} if skip else {})}
        stated = stack(cluster={"kind": "existing"}, gpu_layer=layer, gpu_pools=NODES, **sections)
        return plan(parse(stated, tmp_path), "test")

    return planned


def states(made):
    return {one.addon: one.state for one in made.addons}


def test_what_the_recipe_installs_is_existing_and_the_rest_is_corral_s(planned):
    made = states(planned(recipe()))
    there = {Addon.GPU_OPERATOR, Addon.DRA_DRIVER, Addon.CERT_MANAGER, Addon.PROMETHEUS_CRDS}
    assert {addon for addon, state in made.items() if state is EXISTING} == there
    assert made[Addon.KSERVE] is made[Addon.KYVERNO] is made[Addon.GATEWAY_API] is MANAGED


def test_addons_with_a_section_are_existing_where_the_stack_has_the_section(planned):
    assert states(planned(recipe()))[Addon.OBSERVABILITY] is OFF
    assert states(planned(recipe(), observability={}))[Addon.OBSERVABILITY] is EXISTING


def test_without_a_dra_driver_in_the_recipe_its_operator_s_device_plugin_hands_gpus_out(planned):
    made = planned(recipe(component("gpu-operator")))
    assert states(made)[Addon.DRA_DRIVER] is OFF and made.allocator is Allocator.DEVICE_PLUGIN


@pytest.mark.parametrize("gate", ["enabled", "install"])
def test_a_component_that_the_recipe_keeps_and_does_not_install_is_not_there(planned, gate):
    gated = component("cert-manager", **{gate: False})
    made = states(planned(recipe(component("gpu-operator"), gated)))
    assert made[Addon.CERT_MANAGER] is MANAGED


def test_what_was_skipped_is_corral_s(planned):
    assert states(planned(recipe(), skip=["cert-manager"]))[Addon.CERT_MANAGER] is MANAGED


def test_what_the_file_states_of_an_addon_counts_more(planned):
    made = states(planned(recipe(), addons={"dra-driver": "off"}))
    assert made[Addon.DRA_DRIVER] is OFF and made[Addon.GPU_OPERATOR] is EXISTING


WHERE = "gpu-layer.recipe: recipe.yaml: "


@pytest.mark.parametrize(
    ("content", "more", "line"),
    [
        (None, {}, f"{WHERE}no YAML: give the file that `aicr recipe` wrote"),
        ([], {}, f"{WHERE}its kind is nothing: use the RecipeResult that `aicr recipe` writes"),
        (
            recipe(kind="RecipeMetadata"),
            {},
            f"{WHERE}its kind is RecipeMetadata: use the RecipeResult that `aicr recipe` writes",
        ),
        (
            recipe(apiVersion="aicr.nvidia.com/v1alpha1"),
            {},
            f"{WHERE}its apiVersion is aicr.nvidia.com/v1alpha1: write it anew by an AICR of aicr.run/v1 or ",
        ),
        (recipe(componentRefs={}), {}, f"{WHERE}it has no componentRefs"),
        (
            recipe(component("kueue")),
            {},
            f"{WHERE}it installs no gpu-operator: leave gpu-layer out, and Corral does",
        ),
        (
            recipe(),
            {"skip": ["keda"]},
            "gpu-layer.skip[0]: keda: the recipe does not install it; it has cert-manager, gpu-operator, ",
        ),
        (
            recipe(),
            {"addons": {"cert-manager": "managed"}},
            "addons.cert-manager: managed: recipe.yaml installs it: use existing, or name cert-manager in ",
        ),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_in_one_line(planned, content, more, line):
    with pytest.raises(StackErrors) as refused:
        planned(content, **more)
    (said,) = str(refused.value).splitlines()
    assert said.startswith(line)


def test_a_recipe_that_is_not_there_and_a_section_of_wrong_types_are_said(tmp_path):
    for layer, line in (
        ({"recipe": "absent.yaml"}, "gpu-layer.recipe: absent.yaml: No such file or directory"),
        ({"recipe": 5}, "gpu-layer.recipe: 5: use text"),
        ({"skip": []}, "gpu-layer.recipe: missing"),
        ("recipe.yaml", "gpu-layer: recipe.yaml: use a mapping of recipe, skip"),
    ):
        with pytest.raises(StackErrors, match="gpu-layer") as refused:
            parse(stack(gpu_layer=layer), tmp_path)
        assert str(refused.value).startswith(line)


def test_on_a_cluster_that_the_stack_makes_nothing_is_there_yet(tmp_path):
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe()))
    with pytest.raises(StackErrors) as refused:
        plan(parse(stack(gpu_layer={"recipe": "recipe.yaml"}), tmp_path), "test")
    assert "gpu-layer: recipe.yaml: a cluster of kind embedded is made with the stack, and empty" in str(
        refused.value
    )
