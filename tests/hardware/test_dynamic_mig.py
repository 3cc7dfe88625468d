"""What the driver makes of a DRA driver whose feature gate DynamicMIG is on."""

from tests.hardware.test_driver import (
    CLAIMS,
    CLASSES,
    CONFIG,
    CONFIG_MAPS,
    NODES,
    SLICES,
    ask,
    claim,
    classes,
    names,
    operate,
    small,
    state,
)

WHOLE = [f"gpu-{number}" for number in range(4)]


def deploy(cluster, gates="DynamicMIG=true,"):
    """What the DRA driver's chart leaves in the API."""
    classes(cluster, gates)


def mig_mode(cluster):
    """MIG mode of the A100s on, nothing cut: an Ampere GPU needs a reset, which the MIG manager does."""
    operate(cluster)
    on = "  all-enabled: [{devices: all, mig-enabled: true, mig-devices: {}}]\n"
    meta = {"name": "corral-mig-parted", "namespace": "gpu-operator"}
    cluster.put(CONFIG_MAPS, {"metadata": meta, "data": {"config.yaml": CONFIG + on}})
    ask(cluster, "all-enabled")


def slices(cluster, node="slices-0"):
    result = [item for item in cluster.all(SLICES) if item["spec"]["nodeName"] == node]
    return sorted(result, key=lambda item: item["metadata"]["name"])


def offered(cluster, node="slices-0"):
    """Names of devices, once the pool is complete; None before."""
    result = slices(cluster, node)
    pools = [item["spec"]["pool"] for item in result]
    complete = len({pool["generation"] for pool in pools}) == 1 and {
        pool["resourceSliceCount"] for pool in pools
    } == {len(result)}
    if not complete:
        return None
    return [device["name"] for item in result for device in item["spec"].get("devices", [])]


async def dynamic(cluster):
    mig_mode(cluster)
    deploy(cluster)
    await cluster.until(
        lambda: len(offered(cluster) or ()) == 100 and len(offered(cluster, "whole-0")) == 104
    )


def test_the_daemon_sets_gate_turns_fixed_devices_into_partitions_and_back(drive):
    async def scene(cluster):
        deploy(cluster, None)
        await cluster.until(lambda: offered(cluster) == offered(cluster, "whole-0") == WHOLE)
        before = max(item["spec"]["pool"]["generation"] for item in slices(cluster, "whole-0"))
        await dynamic(cluster)
        on = slices(cluster, "whole-0")
        deploy(cluster, "DynamicMIG=false,")
        await cluster.until(lambda: offered(cluster, "whole-0") == WHOLE)
        await cluster.until(lambda: slices(cluster) == [])
        return before, on, slices(cluster, "whole-0")

    before, on, after = drive(scene)
    assert [len(item["spec"].get("sharedCounters", ())) for item in on] == [4, 0, 0, 0, 0]
    assert [len(item["spec"].get("devices", ())) for item in on] == [0, 26, 26, 26, 26]
    assert len(after) == 1 and "sharedCounters" not in after[0]["spec"]
    generations = [before, on[0]["spec"]["pool"]["generation"], after[0]["spec"]["pool"]["generation"]]
    assert generations == sorted(set(generations)), "each change of a pool has a generation of its own"


def test_nothing_is_written_again_when_nothing_changed(drive):
    async def scene(cluster):
        await dynamic(cluster)
        await cluster.settled()
        cluster.writes.clear()
        deploy(cluster)
        await cluster.settled()
        return cluster.writes

    assert drive(scene) == []


def test_an_ampere_gpu_stays_whole_until_its_mig_mode_is_on(drive, caplog):
    async def scene(cluster):
        deploy(cluster)
        await cluster.until(lambda: len(offered(cluster, "whole-0") or ()) == 104)
        await cluster.until(lambda: offered(cluster) == WHOLE)
        mig_mode(cluster)
        await cluster.until(lambda: len(offered(cluster) or ()) == 100)
        return state(cluster)

    assert drive(scene) == "success"
    assert "machine slices-0: DynamicMIG leaves GPU 0, 1, 2, 3 whole: its MIG mode is off" in caplog.text


def test_slices_that_the_mig_manager_cuts_are_a_conflict_and_nothing_is_published(drive, caplog):
    async def scene(cluster):
        await dynamic(cluster)
        ask(cluster, "small")
        await cluster.until(lambda: state(cluster) == "failed" and slices(cluster) == [])
        await cluster.settled()
        others = offered(cluster, "whole-0")
        ask(cluster, "all-enabled")
        await cluster.until(lambda: len(offered(cluster) or ()) == 100)
        return others

    assert len(drive(scene)) == 104, "the other machine has no label"
    output = [record.message for record in caplog.records if "cuts slices" in record.message]
    assert output == [
        "machine slices-0: MIG configuration 'small' cuts slices where the DRA driver does, with DynamicMIG: "
        "remove one"
    ], "once"


def test_slices_that_were_cut_before_are_destroyed(drive):
    async def scene(cluster):
        await small(cluster)
        node = cluster.get(NODES, "", "slices-0")
        labels = {k: v for k, v in node["metadata"]["labels"].items() if k != "nvidia.com/mig.config"}
        cluster.put(NODES, {**node, "metadata": {**node["metadata"], "labels": labels}})
        deploy(cluster)
        await cluster.until(lambda: len(offered(cluster) or ()) == 100)
        deploy(cluster, None)
        await cluster.until(lambda: slices(cluster) == [])

    drive(scene)


def test_a_fixed_slice_in_use_is_kept_until_it_is_free(drive, caplog):
    async def scene(cluster):
        await small(cluster)
        cluster.put(CLAIMS, claim("gpu-2-mig-1g5gb-3"))
        mig_mode(cluster)
        deploy(cluster)
        await cluster.until(lambda: len(offered(cluster, "whole-0") or ()) == 104)
        await cluster.settled()
        held = names(cluster)
        cluster.remove(CLAIMS, "llm", "chat")
        await cluster.until(lambda: len(offered(cluster) or ()) == 100)
        return held

    assert len(drive(scene)) == 28
    assert "slices-0: keeps its devices while gpu-2-mig-1g5gb-3 are in use" in caplog.text


def test_a_dynamic_slice_in_use_is_kept_when_the_gate_goes_off_and_holds_the_mig_manager_up(drive):
    async def scene(cluster):
        await dynamic(cluster)
        cluster.put(CLAIMS, claim("gpu-1-mig-3g20gb-9-4"))
        await cluster.settled()  # Claims and DaemonSets come by watches of their own.
        deploy(cluster, None)
        ask(cluster, "small")
        await cluster.until(lambda: state(cluster) == "pending")
        await cluster.settled()
        held = offered(cluster)
        cluster.remove(CLAIMS, "llm", "chat")
        await cluster.until(lambda: state(cluster) == "success" and len(offered(cluster) or ()) == 28)
        return held

    assert len(drive(scene)) == 100


def test_a_driver_that_would_not_start_publishes_nothing_and_says_why_once(drive, caplog):
    async def scene(cluster):
        deploy(cluster, None)
        await cluster.until(lambda: offered(cluster) == WHOLE)
        deploy(cluster, "DynamicMIG=true,MPSSupport=true,")
        await cluster.until(lambda: cluster.all(SLICES) == [])
        await cluster.settled()

    drive(scene)
    output = [record.message for record in caplog.records if "exclude each other" in record.message]
    assert output == [
        f"machine {name}: FEATURE_GATES: DynamicMIG and MPSSupport exclude each other"
        for name in ("slices-0", "whole-0")
    ]


def test_an_api_server_that_drops_counters_gets_no_devices(drive, caplog):
    async def scene(cluster):
        keep = cluster.put

        def drop(collection, item, name=None):
            if collection == SLICES:
                spec = {key: value for key, value in item["spec"].items() if key != "sharedCounters"}
                bare = [
                    {key: value for key, value in device.items() if key != "consumesCounters"}
                    for device in spec.get("devices", [])
                ]
                item = {**item, "spec": {**spec, **({"devices": bare} if bare else {})}}
            return keep(collection, item, name)

        cluster.put = drop
        seen = []
        deploy(cluster)
        await cluster.until(
            lambda: seen.extend(names_of(cluster)) or "DRAPartitionableDevices" in caplog.text
        )
        await cluster.until(lambda: slices(cluster, "whole-0") == [])
        await cluster.settled()
        return seen, slices(cluster, "whole-0"), offered(cluster)

    def names_of(cluster):
        result = slices(cluster, "whole-0")
        return [device["name"] for item in result for device in item["spec"].get("devices", [])]

    seen, left, ampere = drive(scene)
    assert not [name for name in seen if "mig" in name], "each slice could be handed out beside all others"
    assert left == []
    assert ampere == WHOLE, "whole GPUs need no counters"


def test_devices_go_with_their_classes(drive):
    async def scene(cluster):
        await dynamic(cluster)
        for name in ("gpu.nvidia.com", "mig.nvidia.com"):
            cluster.remove(CLASSES, "", name)
        await cluster.until(lambda: cluster.all(SLICES) == [])

    drive(scene)
