"""What the driver makes of nodes, labels, policies and classes."""

import json

from tests.hardware.test_feature_gates import daemon

DAEMONS = "/apis/apps/v1/daemonsets"
CLIENT = "nvidia.com/gpu.deploy.client"
NODES = "/api/v1/nodes"
PODS = "/api/v1/pods"
CONFIG_MAPS = "/api/v1/configmaps"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"
CLASSES = "/apis/resource.k8s.io/v1/deviceclasses"
CLAIMS = "/apis/resource.k8s.io/v1/resourceclaims"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POLICIES = "/apis/nvidia.com/v1/clusterpolicies"
CONFIG = """
version: v1
mig-configs:
  all-disabled: [{devices: all, mig-enabled: false}]
  small: [{devices: all, mig-enabled: true, mig-devices: {1g.5gb: 7}}]
  impossible: [{devices: all, mig-enabled: true, mig-devices: {3g.20gb: 2, 1g.5gb: 1}}]
"""


def operate(cluster, plugin=False):
    """What the GPU operator's and the DRA driver's charts leave in the API."""
    cluster.put(
        CONFIG_MAPS,
        {
            "metadata": {"name": "corral-mig-parted", "namespace": "gpu-operator"},
            "data": {"config.yaml": CONFIG},
        },
    )
    cluster.put(
        POLICIES,
        {
            "metadata": {"name": "cluster-policy"},
            "spec": {
                "devicePlugin": {"enabled": plugin},
                "mig": {"strategy": "mixed"},
                "migManager": {"enabled": True, "config": {"name": "corral-mig-parted"}},
            },
        },
    )
    cluster.put(
        CRDS,
        {
            "metadata": {"name": "clusterpolicies.nvidia.com"},
            "status": {"conditions": [{"type": "Established", "status": "True"}]},
        },
    )


def classes(cluster, gates=None):
    """What the DRA driver's chart leaves; MIG manager restarts its pods where a GPU operator is."""
    one = daemon(gates)
    one["spec"]["template"]["spec"]["nodeSelector"] = {CLIENT: "true"} if cluster.all(POLICIES) else {}
    cluster.put(DAEMONS, {**one, "metadata": {"name": "plugin", "namespace": "anywhere"}})
    for name in ("gpu.nvidia.com", "mig.nvidia.com"):
        cluster.put(CLASSES, {"metadata": {"name": name}})


def ask(cluster, config, node="slices-0"):
    old = cluster.get(NODES, "", node)
    labels = {**old["metadata"]["labels"], "nvidia.com/mig.config": config}
    cluster.put(NODES, {**old, "metadata": {**old["metadata"], "labels": labels}})


def state(cluster, node="slices-0"):
    return cluster.get(NODES, "", node)["metadata"]["labels"].get("nvidia.com/mig.config.state")


def names(cluster, node="slices-0"):
    return [
        device["name"]
        for item in cluster.all(SLICES)
        if item["spec"]["nodeName"] == node
        for device in item["spec"]["devices"]
    ]


async def small(cluster):
    operate(cluster)
    classes(cluster)
    ask(cluster, "small")
    await cluster.until(lambda: len(names(cluster)) == 28 and state(cluster) == "success")


def test_machines_become_nodes_with_the_labels_that_feature_discovery_sets(drive):
    async def scene(cluster):
        await cluster.until(lambda: all(n.get("status", {}).get("capacity") for n in cluster.all(NODES)))
        return {n["metadata"]["name"]: n for n in cluster.all(NODES)}

    nodes = drive(scene)
    labels = nodes["slices-0"]["metadata"]["labels"]
    assert labels["nvidia.com/gpu.product"] == "NVIDIA-A100-SXM4-40GB"
    assert labels["nvidia.com/gpu.count"] == "4"
    assert labels["feature.node.kubernetes.io/pci-10de.present"] == "true"
    assert nodes["slices-0"]["metadata"]["annotations"] == {"kwok.x-k8s.io/node": "fake"}
    assert not any(name.startswith("nvidia.com") for name in nodes["system-0"]["metadata"]["labels"])
    assert nodes["system-0"]["status"]["allocatable"]["cpu"] == "32"


def test_nothing_is_published_before_a_device_class_exists(drive):
    async def scene(cluster):
        operate(cluster)
        ask(cluster, "small")
        await cluster.until(lambda: state(cluster) == "success")
        await cluster.settled()
        before = cluster.all(SLICES)
        classes(cluster)
        await cluster.until(lambda: len(names(cluster)) == 28)
        return before, names(cluster, "whole-0")

    assert drive(scene) == ([], ["gpu-0", "gpu-1", "gpu-2", "gpu-3"])


def test_without_a_cluster_policy_nobody_cuts(drive):
    async def scene(cluster):
        classes(cluster)
        ask(cluster, "small")
        await cluster.until(lambda: names(cluster))
        await cluster.settled()
        return names(cluster), state(cluster)

    assert drive(scene) == (["gpu-0", "gpu-1", "gpu-2", "gpu-3"], None)


def test_a_new_layout_replaces_the_devices_under_a_new_generation(drive):
    async def scene(cluster):
        await small(cluster)
        first = cluster.all(SLICES)
        ask(cluster, "all-disabled")
        await cluster.until(lambda: len(names(cluster)) == 4)
        return [
            max(s["spec"]["pool"]["generation"] for s in actual if s["spec"]["nodeName"] == "slices-0")
            for actual in (first, cluster.all(SLICES))
        ]

    before, after = drive(scene)
    assert after > before, "the scheduler takes the newest complete generation of a pool"


def test_mig_manager_stops_the_driver_while_it_cuts_and_lets_it_list_again(drive):
    async def scene(cluster):
        seen = []
        put = cluster.put

        def watched(collection, item, name=None):
            if collection == NODES and item["metadata"]["name"] == "slices-0":
                running = [p for p in cluster.all(PODS) if p["spec"]["nodeName"] == "slices-0"]
                labels = item["metadata"]["labels"]
                seen.append((labels.get(CLIENT), labels.get("nvidia.com/mig.config.state"), len(running)))
            return put(collection, item, name)

        operate(cluster)
        classes(cluster)
        await cluster.until(lambda: len(names(cluster)) == 4)
        cluster.put = watched
        ask(cluster, "small")
        await cluster.until(lambda: len(names(cluster)) == 28)
        return seen

    seen = drive(scene)
    assert ("paused-for-mig-change", "pending", 1) in seen
    assert seen[-1] == ("true", "success", 0), "cut when nobody uses the GPUs, and only then let in again"


def test_a_driver_whose_selector_mig_manager_does_not_know_keeps_its_devices(drive):
    async def scene(cluster):
        operate(cluster)
        classes(cluster)
        one = cluster.get(DAEMONS, "anywhere", "plugin")
        one["spec"]["template"]["spec"]["nodeSelector"] = {"nvidia.com/gpu.present": "true"}
        cluster.put(DAEMONS, one)
        await cluster.until(lambda: len(names(cluster)) == 4)
        await cluster.settled()
        ask(cluster, "small")
        await cluster.until(lambda: state(cluster) == "success")
        await cluster.settled()
        kept = names(cluster)
        cluster.remove(PODS, "anywhere", "plugin-slices-0")
        await cluster.until(lambda: len(names(cluster)) == 28)
        return kept

    assert drive(scene) == ["gpu-0", "gpu-1", "gpu-2", "gpu-3"], "it lists them once, when it starts"


def test_an_impossible_layout_fails_by_name_and_leaves_the_devices(drive, caplog):
    async def scene(cluster):
        await small(cluster)
        ask(cluster, "impossible")
        await cluster.until(lambda: state(cluster) == "failed")
        await cluster.settled()
        return len(names(cluster))

    assert drive(scene) == 28
    assert "machine slices-0: MIG configuration 'impossible': GPU 0: 2 x 3g.20gb" in caplog.text


def claim(device, pool="slices-0"):
    result = {"driver": "gpu.nvidia.com", "pool": pool, "device": device, "request": "gpu"}
    return {
        "metadata": {"name": "chat", "namespace": "llm"},
        "status": {"allocation": {"devices": {"results": [result]}}},
    }


def test_a_machine_whose_devices_are_allocated_waits_and_is_cut_when_they_are_free(drive, caplog):
    async def scene(cluster):
        await small(cluster)
        cluster.put(CLAIMS, claim("gpu-2-mig-1g5gb-3"))
        await cluster.settled()
        ask(cluster, "all-disabled")
        await cluster.until(lambda: state(cluster) == "pending")
        await cluster.settled()
        while_busy = len(names(cluster))
        cluster.remove(CLAIMS, "llm", "chat")
        await cluster.until(lambda: state(cluster) == "success" and len(names(cluster)) != 28)
        return while_busy, names(cluster)

    busy, free = drive(scene)
    assert busy == 28, "a slice in use is never taken away"
    assert free == ["gpu-0", "gpu-1", "gpu-2", "gpu-3"]
    assert "devices of GPU 2 are in use" in caplog.text


def test_devices_allocated_on_another_machine_hold_nobody_up(drive):
    async def scene(cluster):
        cluster.put(CLAIMS, claim("gpu-0", "whole-0"))
        await small(cluster)

    drive(scene)


def test_a_node_without_a_label_is_cut_as_the_policys_default_says(drive):
    async def scene(cluster):
        await small(cluster)
        policy = cluster.get(POLICIES, "", "cluster-policy")
        manager = {"enabled": True, "config": {"name": "corral-mig-parted", "default": "all-disabled"}}
        cluster.put(POLICIES, {**policy, "spec": {**policy["spec"], "migManager": manager}})
        node = cluster.get(NODES, "", "slices-0")
        labels = {k: v for k, v in node["metadata"]["labels"].items() if k != "nvidia.com/mig.config"}
        cluster.put(NODES, {**node, "metadata": {**node["metadata"], "labels": labels}})

        def published():
            slices = [one for one in cluster.all(SLICES) if one["spec"]["nodeName"] == "slices-0"]
            return sorted(device["name"] for one in slices for device in one["spec"]["devices"])

        await cluster.until(lambda: published() == [f"gpu-{number}" for number in range(4)])

    drive(scene)


def test_a_device_plugin_announces_extended_resources_and_takes_them_back(drive):
    async def scene(cluster):
        operate(cluster, plugin=True)
        ask(cluster, "small")

        def amounts():
            return cluster.get(NODES, "", "slices-0").get("status", {}).get("allocatable", {})

        await cluster.until(lambda: amounts().get("nvidia.com/mig-1g.5gb") == "28")
        operate(cluster, plugin=False)
        await cluster.until(lambda: not any(name.startswith("nvidia.com/") for name in amounts()))

    drive(scene)


def test_a_nodes_label_chooses_how_its_gpus_are_shared_and_a_wrong_one_takes_them_away(drive):
    async def scene(cluster):
        operate(cluster, plugin=True)
        quarters = "{version: v1, sharing: {timeSlicing: {renameByDefault: true, resources: [%s]}}}"
        cluster.put(
            CONFIG_MAPS,
            {
                "metadata": {"name": "ways", "namespace": "gpu-operator"},
                "data": {
                    "whole": "version: v1",
                    "quarters": quarters % "{name: nvidia.com/gpu, replicas: 4}",
                },
            },
        )
        policy = cluster.get(POLICIES, "", "cluster-policy")
        ways = {"enabled": True, "config": {"name": "ways", "default": "whole"}}
        cluster.put(POLICIES, {**policy, "spec": {**policy["spec"], "devicePlugin": ways}})

        def actual():
            node = cluster.get(NODES, "", "whole-0")
            amounts = node.get("status", {}).get("allocatable", {})
            shown = {name: amount for name, amount in amounts.items() if name.startswith("nvidia.com/")}
            return shown, node["metadata"]["labels"].get("nvidia.com/gpu.sharing-strategy")

        def choose(name):
            old = cluster.get(NODES, "", "whole-0")
            labels = {**old["metadata"]["labels"], "nvidia.com/device-plugin.config": name}
            cluster.put(NODES, {**old, "metadata": {**old["metadata"], "labels": labels}})

        await cluster.until(lambda: actual() == ({"nvidia.com/gpu": "4"}, "none"))
        choose("quarters")
        await cluster.until(lambda: actual() == ({"nvidia.com/gpu.shared": "16"}, "time-slicing"))
        choose("fifths")
        await cluster.until(lambda: actual() == ({}, None))

    drive(scene)


def test_pods_that_hold_extended_resources_keep_the_layout(drive):
    async def scene(cluster):
        operate(cluster, plugin=True)
        pod = {
            "metadata": {"name": "p", "namespace": "llm"},
            "spec": {
                "nodeName": "slices-0",
                "containers": [{"resources": {"limits": {"nvidia.com/gpu": 1}}}],
            },
            "status": {"phase": "Running"},
        }
        cluster.put(PODS, pod)
        ask(cluster, "small")
        await cluster.until(lambda: state(cluster) == "pending")

    drive(scene)


def test_nothing_is_written_again_when_nothing_changed(drive):
    async def scene(cluster):
        await small(cluster)
        await cluster.settled()
        cluster.writes.clear()
        node = cluster.get(NODES, "", "slices-0")
        rewritten = {**node["status"]["capacity"], "memory": "1Ti"}
        cluster.put(NODES, {**node, "status": {"capacity": rewritten, "allocatable": rewritten}})
        classes(cluster)
        await cluster.settled()
        return cluster.writes

    assert drive(scene) == [], "1024Gi and 1Ti are one amount"


def test_a_label_that_somebody_takes_away_comes_back(drive):
    async def scene(cluster):
        node = cluster.get(NODES, "", "slices-0")
        cluster.put(NODES, {**node, "metadata": {**node["metadata"], "labels": {}}})
        await cluster.until(
            lambda: "nvidia.com/gpu.product" in cluster.get(NODES, "", "slices-0")["metadata"]["labels"]
        )

    drive(scene)


def test_the_state_goes_when_the_pool_takes_its_label_back(drive):
    async def scene(cluster):
        await small(cluster)
        node = cluster.get(NODES, "", "slices-0")
        labels = {k: v for k, v in node["metadata"]["labels"].items() if k != "nvidia.com/mig.config"}
        cluster.put(NODES, {**node, "metadata": {**node["metadata"], "labels": labels}})
        await cluster.until(lambda: state(cluster) is None)
        return len(names(cluster))

    assert drive(scene) == 28, "the GPUs stay as they are cut"


def test_a_restarted_driver_finds_the_gpus_as_they_were_cut(drive, tmp_path):
    drive(small)
    kept = json.loads((tmp_path / "hardware.json").read_text())
    assert len(kept["slices-0"]["0"]) == 7
    assert (tmp_path / "hardware.json").stat().st_mode & 0o777 == 0o600

    async def again(cluster):
        classes(cluster)
        await cluster.until(lambda: len(names(cluster)) == 28)

    drive(again)


def test_a_machine_that_left_the_inventory_loses_its_node_and_other_nodes_do_not(drive):
    async def scene(cluster):
        cluster.put(
            NODES, {"metadata": {"name": "old-0", "labels": {"corral.dev/simulated-hardware": "true"}}}
        )
        cluster.put(NODES, {"metadata": {"name": "theirs", "labels": {}}})
        await cluster.until(lambda: cluster.get(NODES, "", "old-0") is None)
        await cluster.settled()
        return cluster.get(NODES, "", "theirs") is not None

    assert drive(scene)
