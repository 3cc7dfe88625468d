"""What is published with dynamic MIG, judged by what its counters let the scheduler hand out together."""

import itertools
import re
from collections import Counter

import pytest
from tests.hardware.test_geometry import maximal, multiset, placements
from tests.marks import first_of

from corral.catalogue.quantities import amount
from corral.embedded.hardware.geometry import Impossible
from corral.embedded.hardware.inventory import Machine
from corral.embedded.hardware.partitions import partitioned
from corral.embedded.hardware.publication import devices, fixed, gpu_of, resource_slices

BOTH = frozenset({"gpu.nvidia.com", "mig.nvidia.com"})
STARTS = {"1g": 7, "1g+me": 7, "1g-double": 4, "2g": 3, "3g": 2, "4g": 1, "7g": 1}
STARTS_OF_FOUR = {"1g": 4, "1g+me": 4, "2g": 2, "4g": 1}
MIG_NAME = re.compile(r"gpu-(\d+)-mig-(.+)-(\d+)-(\d+)")
"""How the driver reads its own names (canonicalMigNameRegex in its mig.go, v0.4.1)."""


@pytest.fixture
def publish(inventory):
    """Parts of a machine's pool: `publish(product, gpus, layout of each GPU)`; MIG mode is on by default."""

    def made(product, gpus=1, layout=(), classes=BOTH):
        machine = Machine(name="m", cpu="1", memory="1Gi", pods=1, gpu=product, gpus=gpus)
        return partitioned(inventory, machine, dict.fromkeys(range(gpus), layout), classes)

    return made


def every_device(parts):
    return [device for part in parts for device in part.get("devices", [])]


def profile_and_start(device):
    start = MIG_NAME.fullmatch(device["name"])
    return (device["attributes"]["profile"]["string"], int(start[4]))


def available(parts):
    """Every counter of a pool, as (set, counter): amount."""
    return {
        (one["name"], name): amount(counter["value"])
        for part in parts
        for one in part.get("sharedCounters", [])
        for name, counter in one["counters"].items()
    }


def consumed(device):
    return {
        (one["counterSet"], name): amount(counter["value"])
        for one in device.get("consumesCounters", [])
        for name, counter in one["counters"].items()
    }


def fit(expected, counters):
    """Whether the scheduler would hand out all these devices at once."""
    taken = Counter()
    for device in expected:
        taken.update(consumed(device))
    return all(count <= counters[name] for name, count in taken.items())


def together(result, counters):
    """Every set of devices that can be handed out at once, as indices."""
    takes = [consumed(device) for device in result]
    sets = [(frozenset(), Counter())]
    for index, take in enumerate(takes):
        for members, taken in list(sets):
            more = taken + Counter(take)
            if all(count <= counters[name] for name, count in more.items()):
                sets.append((members | {index}, more))
    return [members for members, _ in sets]


@pytest.mark.parametrize(
    ("product", "gpus", "each"),
    [("A100-40GB", 4, 25), ("A100-80GB", 2, 25), ("H100-80GB", 2, 26), ("A30", 1, 7)],
)
def test_every_profile_is_offered_at_every_place_and_the_whole_gpu_where_mig_mode_can_be_switched(
    publish, inventory, product, gpus, each
):
    result = every_device(publish(product, gpus))
    assert Counter(gpu_of(device["name"]) for device in result) == dict.fromkeys(range(gpus), each)
    starts = STARTS if inventory.products[product].compute_slices == 7 else STARTS_OF_FOUR
    expected = {name: gpus * starts[one.shape] for name, one in inventory.products[product].profiles.items()}
    slices = [device for device in result if device["attributes"]["type"]["string"] == "mig"]
    assert Counter(device["attributes"]["profile"]["string"] for device in slices) == expected
    assert len(result) - len(slices) == (gpus if product == "H100-80GB" else 0)


@pytest.mark.parametrize(
    ("product", "skip", "valid", "most", "kinds"),
    [
        ("A100-40GB", {"1g+me", "1g-double"}, 298, 19, 14),
        ("A100-40GB", {"1g+me"}, 723, 78, 38),
        ("A100-80GB", {"1g+me"}, 723, 78, 38),
        ("H100-80GB", {"1g+me", "1g-double"}, 298, 19, 14),
        ("H100-80GB", {"1g+me"}, 723, 78, 38),
        ("A30", set(), None, 5, 4),
    ],
)
def test_the_counters_allow_as_many_layouts_as_nvidias_tables_do(
    publish, inventory, product, skip, valid, most, kinds
):
    parts = publish(product)
    profiles = inventory.products[product].profiles
    slices = [
        device
        for device in every_device(parts)
        if "profile" in device["attributes"]
        and profiles[device["attributes"]["profile"]["string"]].shape not in skip
    ]
    result = {
        frozenset(profile_and_start(slices[index]) for index in members)
        for members in together(slices, available(parts))
    }
    assert valid in (None, len(result))
    assert len(maximal(result)) == most
    assert len({multiset(one) for one in maximal(result)}) == kinds


@pytest.mark.parametrize("product", first_of(("A30", "A100-40GB", "A100-80GB", "H100-80GB")))
def test_what_the_counters_allow_is_what_can_be_cut(publish, inventory, product):
    """With media engines, of which one slice alone has them."""
    parts = publish(product)
    slices = [device for device in every_device(parts) if "profile" in device["attributes"]]
    result = {
        frozenset(profile_and_start(slices[index]) for index in members)
        for members in together(slices, available(parts))
    }
    assert result == placements(inventory.products[product], ())


@pytest.mark.parametrize("product", ["A100-40GB", "H100-80GB", "A30"])
def test_two_slices_exclude_each_other_exactly_when_they_overlap(publish, product):
    parts = publish(product)
    counters = available(parts)
    slices = [device for device in every_device(parts) if "profile" in device["attributes"]]

    def memory(device):
        return {name for name in consumed(device) if name[1].startswith("memory-slice-")}

    for one, other in itertools.combinations(slices, 2):
        media = all(device["attributes"]["profile"]["string"].endswith("+me") for device in (one, other))
        apart = not memory(one) & memory(other)
        assert fit((one, other), counters) == (apart and not media), (one["name"], other["name"])


def test_a_whole_gpu_excludes_each_of_its_slices_and_no_slice_of_another(publish):
    parts = publish("H100-80GB", 2)
    counters = available(parts)
    by_name = {device["name"]: device for device in every_device(parts)}
    for name, device in by_name.items():
        if name not in ("gpu-0", "gpu-1"):
            assert fit((by_name["gpu-0"], device), counters) == (gpu_of(name) == 1), name
    assert fit((by_name["gpu-0"], by_name["gpu-1"]), counters)
    for name, total in counters.items():
        if name[0] == "gpu-0-counter-set":
            assert consumed(by_name["gpu-0"])[name] == total, (
                "nothing is left of a GPU that is handed out whole"
            )


@pytest.mark.parametrize(("product", "gpus"), [("A100-40GB", 8), ("H100-80GB", 8), ("A30", 8), ("L40S", 16)])
def test_slices_stay_within_the_limits_of_the_api(publish, product, gpus):
    """Limits of resource.k8s.io/v1 in k8s.io/api v0.35.4, resource/v1/types.go."""
    node = {"metadata": {"name": "m", "uid": "u"}}
    result = resource_slices(node, publish(product, gpus), 7)
    specs = [item["spec"] for item in result]
    assert {spec["pool"]["resourceSliceCount"] for spec in specs} == {len(specs)}
    assert {(spec["pool"]["name"], spec["pool"]["generation"]) for spec in specs} == {("m", 7)}
    assert len({item["metadata"]["name"] for item in result}) == len(result)
    sets = [one for spec in specs for one in spec.get("sharedCounters", [])]
    assert len(sets) <= 8 and all(len(one["counters"]) <= 32 for one in sets)
    known = {one["name"]: set(one["counters"]) for one in sets}
    assert len(known) == len(sets)
    for spec in specs:
        assert ("devices" in spec) != ("sharedCounters" in spec)
        counted = any(device.get("consumesCounters") for device in spec.get("devices", []))
        assert len(spec.get("devices", [])) <= (64 if counted else 128)
    for device in every_device(specs):
        assert len(device["attributes"]) + len(device["capacity"]) <= 32
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", device["name"])
        assert len(device.get("consumesCounters", [])) <= 2
        for one in device.get("consumesCounters", []):
            assert set(one["counters"]) <= known[one["counterSet"]], "the scheduler ignores such a pool"
    names = [device["name"] for device in every_device(specs)]
    assert len(set(names)) == len(names)


def test_slices_are_named_and_described_as_the_real_driver_does(publish):
    parts = publish("A100-40GB")
    by_name = {device["name"]: device for device in every_device(parts)}
    assert {"gpu-0-mig-1g5gb-19-6", "gpu-0-mig-1g5gb-me-20-0", "gpu-0-mig-1g10gb-15-2"} <= set(by_name)
    assert {"gpu-0-mig-3g20gb-9-4", "gpu-0-mig-4g20gb-5-0", "gpu-0-mig-7g40gb-0-0"} <= set(by_name)
    large = by_name["gpu-0-mig-3g20gb-9-4"]
    assert set(large["attributes"]) == {
        "type", "parentUUID", "profile", "productName", "brand", "architecture", "cudaComputeCapability",
        "driverVersion",
    }, "no uuid: it does not exist yet"  # fmt: skip
    assert set(large["capacity"]) == {
        "multiprocessors", "copyEngines", "decoders", "encoders", "jpegEngines", "ofaEngines", "memory",
    }  # fmt: skip
    (one,) = large["consumesCounters"]
    assert one["counterSet"] == "gpu-0-counter-set"
    assert set(one["counters"]) == {
        "multiprocessors", "copy-engines", "decoders", "encoders", "jpeg-engines", "ofa-engines", "memory",
        *(f"memory-slice-{number}" for number in (4, 5, 6, 7)),
    }  # fmt: skip
    assert one["counters"]["memory"] == large["capacity"]["memory"] == {"value": "19968Mi"}


def test_devices_come_by_name_one_slice_for_each_gpu_after_the_counters(publish):
    counters, *parts = publish("H100-80GB", 3)
    assert [one["name"] for one in counters["sharedCounters"]] == [f"gpu-{n}-counter-set" for n in range(3)]
    for gpu, part in enumerate(parts):
        names = [device["name"] for device in part["devices"]]
        assert names == sorted(names)
        assert {gpu_of(name) for name in names} == {gpu}


def test_an_ampere_gpu_without_mig_mode_stays_whole(publish, inventory):
    machine = Machine(name="m", cpu="1", memory="1Gi", pods=1, gpu="A100-40GB", gpus=2)
    whole = fixed(devices(inventory, machine, {0: None, 1: None}, BOTH))
    assert publish("A100-40GB", 2, layout=None) == whole
    mixed = partitioned(inventory, machine, {0: None, 1: ()}, BOTH)
    assert [len(next(iter(part.values()))) for part in mixed] == [1, 1, 25]
    assert mixed[1] == {"devices": whole[0]["devices"][:1]}


def test_a_gpu_that_switches_its_mig_mode_is_offered_alike_whether_it_is_on(publish):
    assert publish("H100-80GB", 2, layout=None) == publish("H100-80GB", 2, layout=())


def test_gpus_without_mig_are_published_as_without_the_gate(publish, inventory):
    machine = Machine(name="m", cpu="1", memory="1Gi", pods=1, gpu="L40S", gpus=3)
    assert publish("L40S", 3, layout=None) == fixed(
        devices(inventory, machine, dict.fromkeys(range(3)), BOTH)
    )


@pytest.mark.parametrize(
    ("classes", "types"),
    [
        (frozenset(), set()),
        (frozenset({"gpu.nvidia.com"}), {"gpu"}),
        (frozenset({"mig.nvidia.com"}), {"mig"}),
        (BOTH, {"gpu", "mig"}),
    ],
)
def test_only_devices_of_an_existing_device_class_are_published(publish, classes, types):
    parts = publish("H100-80GB", 2, classes=classes)
    assert {device["attributes"]["type"]["string"] for device in every_device(parts)} == types
    assert bool(parts) == bool(types), "counters that nobody consumes are left out"


def test_more_gpus_than_one_slice_has_counter_sets_are_refused(publish):
    with pytest.raises(Impossible, match="counters of 8 GPUs at most"):
        publish("A100-40GB", 9)
    assert len(publish("A100-40GB", 9, layout=None)) == 1, "nothing to count"
