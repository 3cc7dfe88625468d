"""What the drivers publish for a layout."""

import pytest
import yaml

from corral.embedded.hardware.device_plugin import announced, configured
from corral.embedded.hardware.geometry import Impossible
from corral.embedded.hardware.inventory import InventoryError, load, read
from corral.embedded.hardware.mig_manager import manage
from corral.embedded.hardware.mig_parted import layouts
from corral.embedded.hardware.publication import devices, fixed, gpu_of, resource_slices

BOTH = frozenset({"gpu.nvidia.com", "mig.nvidia.com"})
CONFIG = """
version: v1
mig-configs:
  all-disabled:
    - {devices: all, mig-enabled: false}
  small:
    - {devices: all, mig-enabled: true, mig-devices: {1g.5gb: 7}}
  mixed:
    - {devices: [0], mig-enabled: true, mig-devices: {3g.20gb: 1, 2g.10gb: 1, 1g.5gb: 2}}
    - {devices: [1, 2], mig-enabled: true, mig-devices: {1g.5gb: 7}}
    - {devices: [3], mig-enabled: false}
  first-only:
    - {devices: [0], mig-enabled: true, mig-devices: {7g.40gb: 1}}
  other-product:
    - {devices: all, device-filter: "0x233010DE", mig-enabled: true, mig-devices: {1g.10gb: 7}}
  empty:
    - {devices: all, mig-enabled: true, mig-devices: {}}
  too-much:
    - {devices: [2], mig-enabled: true, mig-devices: {3g.20gb: 2, 1g.5gb: 1}}
  contradiction:
    - {devices: all, mig-enabled: false, mig-devices: {1g.5gb: 7}}
  absent-gpu:
    - {devices: [4], mig-enabled: false}
"""
WHOLE = dict.fromkeys(range(4))


@pytest.fixture
def machine(inventory):
    return next(m for m in inventory.machines if m.name == "slices-0")


@pytest.fixture
def layout_of(inventory):
    def apply(name):
        return {**WHOLE, **layouts(CONFIG, name, inventory.products["A100-40GB"], 4)}

    return apply


@pytest.fixture
def published(inventory, machine, layout_of):
    return lambda name, classes=BOTH: devices(inventory, machine, layout_of(name), classes)


def test_seven_small_slices_on_each_of_four_gpus_are_28_devices_with_their_own_memory(published):
    result = published("small")
    assert [d["name"] for d in result][:8] == [
        *(f"gpu-0-mig-1g5gb-{n}" for n in range(7)),
        "gpu-1-mig-1g5gb-0",
    ]
    assert len(result) == 28
    assert {d["capacity"]["memory"]["value"] for d in result} == {"4864Mi"}, "4.75 GiB, not the name's 5"
    assert {d["attributes"]["profile"]["string"] for d in result} == {"1g.5gb"}


def test_slices_are_named_and_described_as_the_real_driver_does(published):
    slice_ = published("small")[0]
    assert set(slice_["attributes"]) == {
        "type", "uuid", "parentUUID", "profile", "productName", "brand", "architecture",
        "cudaComputeCapability", "driverVersion",
    }  # fmt: skip
    assert slice_["attributes"]["type"] == {"string": "mig"}
    assert slice_["attributes"]["driverVersion"] == {"version": "595.91.7"}, "no leading zero in a version"
    assert slice_["attributes"]["cudaComputeCapability"] == {"version": "8.0.0"}
    assert set(slice_["capacity"]) == {"memory", "multiprocessors"}


def test_a_mixed_layout_publishes_each_gpu_as_it_is_cut(published):
    result = published("mixed")
    by_gpu = {
        gpu: [d["attributes"].get("profile", {}).get("string") for d in result if gpu_of(d["name"]) == gpu]
        for gpu in range(4)
    }
    assert sorted(by_gpu[0]) == ["1g.5gb", "1g.5gb", "2g.10gb", "3g.20gb"]
    assert by_gpu[1] == by_gpu[2] == ["1g.5gb"] * 7
    assert by_gpu[3] == [None], "GPU 3 stays whole"
    assert [d["name"] for d in result if gpu_of(d["name"]) == 3] == ["gpu-3"]


def test_every_device_has_a_uuid_of_its_own_and_slices_name_their_gpu(published):
    result = published("mixed")
    uuids = [d["attributes"]["uuid"]["string"] for d in result]
    assert len(set(uuids)) == len(uuids)
    parents = {d["attributes"]["parentUUID"]["string"] for d in result if d["name"].startswith("gpu-0-mig")}
    assert len(parents) == 1
    assert all(p.startswith("GPU-") for p in parents)


def test_a_gpu_with_mig_on_and_nothing_cut_is_not_offered_whole(published):
    assert published("empty") == []


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (frozenset(), set()),
        (frozenset({"gpu.nvidia.com"}), {"gpu"}),
        (frozenset({"mig.nvidia.com"}), {"mig"}),
        (BOTH, {"gpu", "mig"}),
    ],
)
def test_only_devices_of_an_existing_device_class_are_published(published, classes, names):
    assert {d["attributes"]["type"]["string"] for d in published("mixed", classes)} == names


def test_device_names_are_unique_labels(published):
    names = [d["name"] for d in published("mixed")]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name == name.lower() for name in names)


def test_a_pool_of_many_devices_is_split_and_says_into_how_many():
    node = {"metadata": {"name": "n", "uid": "u"}}
    parts = resource_slices(node, fixed([{"name": f"gpu-{n}"} for n in range(129)]), 3)
    assert [len(p["spec"]["devices"]) for p in parts] == [128, 1]
    assert {p["spec"]["pool"]["resourceSliceCount"] for p in parts} == {2}
    assert {p["spec"]["pool"]["generation"] for p in parts} == {3}
    assert len({p["metadata"]["name"] for p in parts}) == 2


@pytest.mark.parametrize(
    ("name", "strategy", "expected"),
    [
        ("all-disabled", "mixed", {"nvidia.com/gpu": "4"}),
        ("small", "mixed", {"nvidia.com/gpu": "0", "nvidia.com/mig-1g.5gb": "28"}),
        (
            "mixed",
            "mixed",
            {
                "nvidia.com/gpu": "1",
                "nvidia.com/mig-1g.5gb": "16",
                "nvidia.com/mig-2g.10gb": "1",
                "nvidia.com/mig-3g.20gb": "1",
            },
        ),
        ("small", "single", {"nvidia.com/gpu": "28"}),
        ("mixed", "single", {}),
        ("all-disabled", "single", {"nvidia.com/gpu": "4"}),
        ("small", "none", {"nvidia.com/gpu": "4"}),
    ],
)
def test_the_device_plugin_announces_what_its_mig_strategy_says(layout_of, name, strategy, expected):
    assert announced(configured(strategy, None), layout_of(name)) == expected


def shared(way, resource="nvidia.com/gpu", replicas=4, **more):
    entry = {"name": resource, "replicas": replicas}
    return yaml.safe_dump({"version": "v1", "sharing": {way: {**more, "resources": [entry]}}})


@pytest.mark.parametrize("way", ["timeSlicing", "mps"])
def test_shares_of_gpus_are_counted_under_the_name_that_the_configuration_asks_for(layout_of, way):
    whole = layout_of("all-disabled")
    assert announced(configured("mixed", shared(way)), whole) == {"nvidia.com/gpu": "16"}
    renamed = configured("mixed", shared(way, renameByDefault=True))
    assert announced(renamed, whole) == {"nvidia.com/gpu.shared": "16"}


def test_slices_can_be_shared_by_time(layout_of):
    plugin = configured("mixed", shared("timeSlicing", "nvidia.com/mig-1g.5gb", 2))
    assert announced(plugin, layout_of("small")) == {"nvidia.com/gpu": "0", "nvidia.com/mig-1g.5gb": "56"}


def test_the_configurations_own_mig_strategy_wins(layout_of):
    text = yaml.safe_dump({"version": "v1", "flags": {"migStrategy": "single"}})
    assert announced(configured("mixed", text), layout_of("small")) == {"nvidia.com/gpu": "28"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (shared("mps", "nvidia.com/mig-1g.5gb"), "MPS shares whole GPUs alone"),
        (shared("mps", replicas=49), "48 clients"),
        (shared("timeSlicing", replicas=1), "greater than or equal to 2"),
        (shared("timesharing"), "sharing.timesharing"),
        ("version: v2", "version"),
        ("a: [", "no YAML"),
        (
            yaml.safe_dump(
                {
                    "version": "v1",
                    "sharing": {
                        way: {"resources": [{"name": "nvidia.com/gpu", "replicas": 2}]}
                        for way in ("mps", "timeSlicing")
                    },
                }
            ),
            "exclude each other",
        ),
    ],
)
def test_a_wrong_configuration_of_the_device_plugin_fails_by_name(text, message):
    with pytest.raises(Impossible, match=message):
        configured("mixed", text)


def test_mps_is_refused_beside_slices(layout_of):
    with pytest.raises(Impossible, match="MIG mode"):
        announced(configured("mixed", shared("mps")), layout_of("small"))


def config(text=CONFIG):
    return {"data": {"config.yaml": text}}


def managed(inventory, name, now=None, busy=(), configurations=None):
    return manage(
        name, configurations or config(), inventory.products["A100-40GB"], now or WHOLE, frozenset(busy)
    )


def test_gpus_that_a_configuration_does_not_name_stay_as_they_are(inventory):
    assert set(managed(inventory, "first-only").changes) == {0}
    assert managed(inventory, "other-product").changes == {}, "the device filter is another product's"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("too-much", "GPU 2: 2 x 3g.20gb + 1 x 1g.5gb does not fit"),
        ("contradiction", "slices with mig-enabled: false"),
        ("absent-gpu", "names GPU 4; there are 4"),
        ("unheard-of", "no MIG configuration 'unheard-of'; allowed: all-disabled, small"),
    ],
)
def test_an_impossible_configuration_fails_by_name_and_cuts_nothing(inventory, name, message):
    outcome = managed(inventory, name)
    assert (outcome.state, outcome.changes) == ("failed", {})
    assert message in outcome.why


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: v2\nmig-configs: {}", "wrong at version"),
        ("a: [", "no YAML"),
        ("[]", "wrong at its top"),
        (
            "version: v1\nmig-configs: {small: [{devices: some, mig-enabled: true}]}",
            "wrong at mig-configs.small",
        ),
    ],
)
def test_what_is_no_mig_parted_document_fails_by_name(inventory, text, message):
    outcome = managed(inventory, "small", configurations=config(text))
    assert outcome.state == "failed"
    assert message in outcome.why


def test_without_a_config_map_a_configuration_fails(inventory):
    assert manage("small", None, inventory.products["A100-40GB"], WHOLE, frozenset()).state == "failed"


def test_a_busy_gpu_is_not_cut_and_neither_are_the_others(inventory):
    outcome = managed(inventory, "small", busy={1})
    assert (outcome.state, outcome.changes) == ("pending", {})
    assert "devices of GPU 1 are in use" in outcome.why


def test_a_busy_gpu_that_keeps_its_layout_blocks_nobody(inventory):
    now = {**WHOLE, **managed(inventory, "first-only").changes}
    outcome = managed(inventory, "first-only", now, busy={0, 3})
    assert (outcome.state, outcome.changes) == ("success", {})


def test_the_inventory_lists_a_system_machine_and_two_with_gpus(inventory):
    assert {m.name: m.gpus for m in inventory.machines} == {"system-0": 0, "slices-0": 4, "whole-0": 4}


def test_every_profile_of_every_product_can_be_cut(inventory):
    from corral.embedded.hardware.geometry import place

    for product in inventory.products.values():
        for profile, row in product.profiles.items():
            assert len(place(product, {profile: 1})) == 1
            assert row.usable_gib <= product.usable_gib + 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "machines: [{name: a, cpu: '1', memory: 1Gi, pods: 1, gpu: X, gpus: 1}]",
            "unknown gpu 'X'; allowed:",
        ),
        ("machines: [{name: a, cpu: '1', memory: 1Gi, pods: 1, gpus: 1}]", "`gpu` and `gpus` go together"),
        ("machines: [{name: a, cpu: '1', memory: 1Gi, pods: 1, color: red}]", "machines.0.color"),
        (
            "machines: [&a {name: a, cpu: '1', memory: 1Gi, pods: 1}, *a]",
            "'a' is listed twice",
        ),
    ],
)
def test_a_wrong_inventory_is_refused_with_path_and_place(tmp_path, text, message):
    path = tmp_path / "inventory.yaml"
    path.write_text(f"driver: 1.2.3\nproducts: {{}}\n{text}\n")
    with pytest.raises(InventoryError) as refusal:
        read(path)
    assert message in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_a_missing_inventory_is_refused(tmp_path):
    with pytest.raises(InventoryError, match="absent"):
        load(tmp_path / "absent.yaml")
