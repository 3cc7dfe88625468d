"""GPUs and instance types: what they have, where it was read, and that nothing is claimed beyond that."""

import datetime

import pytest
import yaml
from pydantic import ValidationError

from corral.catalogue import _read
from corral.catalogue.gpus import _Gpus, architecture, geometry, gpus, shape, sources
from corral.catalogue.instances import _Instances, instances, source
from corral.catalogue.vocabulary import Vendor

MIG = [key for key, entry in gpus().items() if entry.profiles]


def raw(name: str) -> dict:
    return yaml.safe_load((_read.FOLDER / name).read_text())


def test_the_gpus_that_people_rent_and_own_are_there():
    assert len(gpus()) == 30
    rented, workstations = {"T4", "A10G", "L4", "L40S"}, {"RTX-6000-ADA-48GB", "RTX-A6000-48GB"}
    consumer = {key for key, entry in gpus().items() if entry.geforce}
    amd = {key for key in gpus() if architecture(key).vendor is Vendor.AMD}
    assert consumer == {"RTX-5090-32GB", "RTX-4090-24GB", "RTX-3090-24GB"}
    assert amd == {"MI300X-192GB", "MI325X-256GB", "MI355X-288GB"}
    without_mig = {key for key, entry in gpus().items() if not entry.profiles}
    assert without_mig == rented | workstations | consumer | amd


@pytest.mark.parametrize("key", gpus())
def test_every_figure_of_a_gpu_names_where_it_was_read(key: str):
    found, entry = sources(key), gpus()[key]
    assert {"memory", "architecture", "precision", "mig"} <= set(found)
    assert ("bandwidth" in found) == (entry.bandwidth_gbs is not None)
    assert all(one.date <= datetime.date.today() and len(one.name) > 20 for one in found.values())


@pytest.mark.parametrize(
    ("key", "target", "fp8", "fp4"),
    [
        ("RTX-3090-24GB", "8.6", False, False),
        ("RTX-4090-24GB", "8.9", True, False),
        ("RTX-5090-32GB", "12.0", True, True),
        ("A100-80GB", "8.0", False, False),
        ("H100-80GB", "9.0", True, False),
        ("MI300X-192GB", "gfx942", True, False),
        ("MI355X-288GB", "gfx950", True, True),
    ],
)
def test_a_gpu_computes_in_eight_and_four_bits_as_its_architecture_does(key, target, fp8, fp4):
    entry = architecture(key)
    assert (entry.target, entry.fp8, entry.fp4) == (target, fp8, fp4)


def test_only_turing_lacks_bfloat16():
    assert [key for key, entry in gpus().items() if not entry.bf16] == ["T4"]


@pytest.mark.parametrize("key", gpus())
def test_no_process_gets_more_than_the_nominal_memory(key: str):
    entry = gpus()[key]
    assert 0.85 * entry.nominal_gib < entry.usable_gib < entry.nominal_gib


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("gpus", "L4", "architecture"), "volta", "L4: no architecture 'volta'"),
        (("gpus", "L4", "memory-source"), "hearsay", "L4: no source 'hearsay'"),
        (("gpus", "T4", "bandwidth-gbs"), 320, "T4: bandwidth-gbs and bandwidth-source belong together"),
        (("architectures", "ada", "source"), "hearsay", "ada: no source 'hearsay'"),
    ],
)
def test_a_gpu_that_refers_to_nothing_is_refused(path, value, said):
    content = raw("gpus.yaml")
    content[path[0]][path[1]][path[2]] = value
    with pytest.raises(ValidationError, match=said):
        _Gpus.model_validate(content)


@pytest.mark.parametrize("key", MIG)
def test_what_nobody_measured_is_no_more_than_every_measured_share(key: str):
    entry, grid = gpus()[key], geometry(key)
    for name, profile in (entry.profiles | entry.media).items():
        share = profile.usable_gib / (entry.nominal_gib * shape(key, name).memory / grid.memory)
        bound = 0.9 if key not in ("H200-141GB", "H100-NVL-94GB") else 1.0
        assert share > 0.9 if profile.measured else share <= bound, f"{key} {name}: {share:.3f}"


def test_no_slice_has_more_memory_than_its_gpu():
    measured = [entry for entry in gpus().values() if entry.profiles]
    assert len(measured) > 5
    for entry in measured:
        for key, one in entry.profiles.items():
            assert one.usable_gib <= entry.usable_gib, key


@pytest.mark.parametrize(
    ("key", "profile", "gib"),
    [("B200-180GB", "1g.23gb", 20.26), ("H20-96GB", "2g.24gb", 21.61), ("T4", None, 14.41)],
)
def test_an_optimistic_figure_is_refused(key: str, profile: str | None, gib: float):
    content = raw("gpus.yaml")
    entry = content["gpus"][key]
    (entry["profiles"][profile] if profile else entry)["usable-gib"] = gib
    with pytest.raises(ValidationError, match=rf"{key}.*was not measured, and no more than .* is sure"):
        _Gpus.model_validate(content)


@pytest.mark.parametrize("key", MIG)
def test_a_slice_with_media_engines_is_one_of_a_kind_and_as_large_as_the_plain_one(key: str):
    entry = gpus()[key]
    for name, profile in entry.media.items():
        plain = name.removesuffix("+me")
        assert name.endswith("+me") and plain in entry.profiles
        assert shape(key, name).max == 1
        assert (shape(key, name).compute, shape(key, name).memory, shape(key, name).starts) == (
            shape(key, plain).compute,
            shape(key, plain).memory,
            shape(key, plain).starts,
        )
        assert profile.usable == entry.profiles[plain].usable


def test_some_profiles_need_a_later_driver_than_their_gpu():
    a100, a30 = gpus()["A100-40GB"], gpus()["A30"]
    assert (a100.driver, a100.media["1g.5gb+me"].driver, a100.profiles["1g.10gb"].driver) == (450, 470, 525)
    assert (a30.driver, a30.media["1g.6gb+me"].driver, a30.media["2g.12gb+me"].driver) == (460, 470, 525)
    for key in MIG:
        entry = gpus()[key]
        assert entry.driver is not None, key
        for one in (entry.profiles | entry.media).values():
            assert one.driver is None or one.driver > entry.driver, key


def test_one_product_name_is_not_known_and_says_so():
    assert [key for key, entry in gpus().items() if not entry.resolved] == ["RTX-PRO-4500-32GB"]
    assert len({entry.product for entry in gpus().values()}) == len(gpus()), "no label stands for two GPUs"


def test_every_instance_has_a_gpu_of_the_catalogue_and_a_dated_source():
    assert len(instances()) == 81
    for name, entry in instances().items():
        assert entry.gpu in gpus() and entry.gpus in (1, 2, 4, 8), name
        assert entry.vcpus > 0 and entry.memory_gib > 0, name
        assert source(name).date <= datetime.date.today(), name


def test_known_instances_are_as_their_cloud_describes_them():
    large, small = instances()["p5en.48xlarge"], instances()["g6e.xlarge"]
    assert (large.gpu, large.gpus, large.vcpus, large.memory_gib, large.efa) == (
        "H200-141GB",
        8,
        192,
        2048,
        16,
    )
    assert (small.gpu, small.disk_gb, small.network_gbps, small.efa) == ("L40S", 250, 2.5, 0)
    assert (instances()["a3-highgpu-1g"].gpu, instances()["a3-highgpu-1g"].gpus) == ("H100-80GB", 1)


@pytest.mark.parametrize(("key", "value"), [("gpu", "H1000"), ("source", "hearsay")])
def test_an_instance_that_refers_to_nothing_is_refused(key: str, value: str):
    content = raw("instances.yaml")
    content["instances"]["p5.48xlarge"][key] = value
    with pytest.raises(ValidationError, match=rf"p5.48xlarge: no .*{value}"):
        _Instances.model_validate(content)
