"""Fair sharing: the manager's configuration, flavours, queues, and the DeviceClasses that quotas count."""

import pulumi
import pytest
import yaml
from tests.components.harness import build
from tests.components.installs import installs, values_of

from corral.components._kit import ArgsError
from corral.components.device_classes import DeviceClasses
from corral.components.fair_sharing import FairSharing, TenantQueues

SMALL, WHOLE = "corral.dev/mig-1g-5gb", "corral.dev/gpu"
OFFERED = [
    {"pool": "slices", "resource": SMALL, "count": 7},
    {"pool": "whole", "resource": WHOLE, "count": 4},
]
TENANTS = [
    {
        "name": "blue",
        "namespace": "team-blue",
        "guaranteed": [
            {"pool": "slices", "resource": SMALL, "count": 2},
            {"pool": "whole", "resource": WHOLE, "count": 1},
        ],
        "weight": 3,
    },
    {
        "name": "red",
        "namespace": "team-red",
        "guaranteed": [{"pool": "slices", "resource": SMALL, "count": 1}],
    },
]
CLASSES = [
    {"resource": SMALL, "device_class": "mig-1g-5gb.corral.dev"},
    {"resource": WHOLE, "device_class": "gpu.nvidia.com"},
]
FOUND = {
    "clusterqueues.kueue.x-k8s.io": {
        "spec": {"versions": [{"name": name, "served": True} for name in ("v1beta1", "v1beta2")]}
    }
}


def sharing(found=None, **more):
    args = {"supply": {}, "tenants": TENANTS, "offered": OFFERED, "classes": CLASSES, **more}
    return build(lambda: FairSharing("fair", args), found=found or {})


def tenant_queues():
    tenants = [{"tenant": one["name"], "namespace": one["namespace"]} for one in TENANTS]
    return build(lambda: TenantQueues("queues", {"tenants": tenants}))


def configuration(**more):
    values = values_of(sharing(**more), "fair-chart")
    return yaml.safe_load(values["managerConfig"]["controllerManagerConfigYaml"])


def quotas(spec):
    """Quota by (flavour, resource)."""
    return {
        (flavour["name"], one["name"]): one["nominalQuota"]
        for group in spec["resourceGroups"]
        for flavour in group["flavors"]
        for one in flavour["resources"]
    }


def test_nothing_is_queued_outside_the_namespaces_of_tenants():
    (rule,) = configuration()["managedJobsNamespaceSelector"]["matchExpressions"]
    assert rule == {
        "key": "kubernetes.io/metadata.name",
        "operator": "In",
        "values": ["team-blue", "team-red"],
    }, "a label could be put on any namespace by whoever may change it"


def test_devices_are_counted_by_class_and_neither_processor_nor_memory_is():
    counted = configuration()["resources"]
    assert counted["deviceClassMappings"] == [
        {"name": SMALL, "deviceClassNames": ["mig-1g-5gb.corral.dev"]},
        {"name": WHOLE, "deviceClassNames": ["gpu.nvidia.com"]},
    ]
    excluded = tuple(counted["excludeResourcePrefixes"])
    for name in ("cpu", "memory", "ephemeral-storage", "hugepages-2Mi"):
        assert name.startswith(excluded)
    for name in (SMALL, WHOLE, "nvidia.com/gpu", "nvidia.com/mig-1g.5gb", "requests.cpu"):
        assert not name.startswith(excluded), "a device that is not counted is not limited"


def test_without_classes_the_extended_resources_themselves_are_counted():
    assert "deviceClassMappings" not in configuration(classes=[])["resources"]


def test_a_workload_whose_pods_are_not_all_ready_gives_its_devices_back_and_stops_nobody_else():
    assert configuration()["waitForPodsReady"] == {"timeout": "60m", "blockAdmission": False}
    assert configuration(ready_within_minutes=5)["waitForPodsReady"]["timeout"] == "5m"


def test_jobs_and_pods_are_queued_and_what_names_no_queue_is_no_special_case():
    found = configuration()
    assert found["integrations"]["frameworks"] == ["batch/job", "pod", "deployment"]
    assert found["manageJobsWithoutQueueName"] is False
    assert {one.object_name for one in tenant_queues().of("LocalQueue")} == {"gpus"}, (
        "`default` takes all that leaves"
    )


def test_in_tenants_namespaces_alone_what_asks_for_gpus_names_a_queue():
    graph = sharing()
    (policy,) = graph.of("ValidatingAdmissionPolicy")
    (binding,) = graph.of("ValidatingAdmissionPolicyBinding")
    assert binding.inputs["spec"]["policyName"] == policy.object_name
    (where,) = binding.inputs["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert where["values"] == ["team-blue", "team-red"] and where["operator"] == "In"
    rule, _release = policy.inputs["spec"]["validations"]
    assert rule["message"].endswith("add the label kueue.x-k8s.io/queue-name: gpus")


def test_another_configuration_is_text_that_makes_the_chart_make_another_manager():
    text = [values_of(sharing(ready_within_minutes=n), "fair-chart")["managerConfig"] for n in (5, 6)]
    assert text[0] != text[1]


def test_a_pool_is_a_flavour_with_its_nodes_and_their_taint():
    flavours = {one.object_name: one.inputs["spec"] for one in sharing().of("ResourceFlavor")}
    assert flavours["slices"] == {
        "nodeLabels": {"corral.dev/pool": "slices"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    }
    assert set(flavours) == {"slices", "whole"}


def test_a_tenant_is_promised_what_is_its_own_and_may_borrow_the_rest():
    spec = sharing().one("ClusterQueue", "blue").inputs["spec"]
    assert quotas(spec) == {
        ("slices", SMALL): "2",
        ("slices", WHOLE): "0",
        ("whole", SMALL): "0",
        ("whole", WHOLE): "1",
    }
    assert spec["cohortName"] == "corral"
    assert spec["fairSharing"] == {"weight": "3"}
    assert spec["preemption"]["reclaimWithinCohort"] == "Any"
    assert "borrowWithinCohort" not in spec["preemption"], "Kueue has it without fair sharing alone"
    assert "borrowingLimit" not in str(spec)


def test_all_devices_of_a_pod_come_from_one_pool_since_it_runs_on_one_node():
    (group,) = sharing().one("ClusterQueue", "red").inputs["spec"]["resourceGroups"]
    assert group["coveredResources"] == sorted([SMALL, WHOLE])
    for flavour in group["flavors"]:
        assert [one["name"] for one in flavour["resources"]] == group["coveredResources"]


def test_a_tenants_own_devices_of_another_pool_come_before_those_it_borrows():
    spec = sharing().one("ClusterQueue", "red").inputs["spec"]
    assert spec["flavorFungibility"]["whenCanBorrow"] == "TryNextFlavor", "what is borrowed may be taken back"


def test_promises_and_what_is_nobodys_add_up_to_what_the_pools_have():
    graph = sharing()
    whole = [one.inputs["spec"] for kind in ("ClusterQueue", "Cohort") for one in graph.of(kind)]
    for one in OFFERED:
        key = (one["pool"], one["resource"])
        assert sum(int(quotas(spec)[key]) for spec in whole) == one["count"]
    assert quotas(graph.one("Cohort").inputs["spec"])[("whole", WHOLE)] == "3"


def test_without_borrowing_there_is_no_cohort_and_nobody_is_stopped_for_another_tenant():
    graph = sharing(borrowing=False)
    assert graph.of("Cohort") == []
    spec = graph.one("ClusterQueue", "blue").inputs["spec"]
    assert not {"cohortName", "fairSharing"} & set(spec)
    assert spec["preemption"] == {"reclaimWithinCohort": "Never", "withinClusterQueue": "LowerPriority"}
    assert "fairSharing" not in configuration(borrowing=False)


def test_a_queue_takes_workloads_of_its_tenants_namespace_alone():
    graph = sharing()
    spec = graph.one("ClusterQueue", "red").inputs["spec"]
    assert spec["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "team-red"}}
    found = {one.namespace: one.inputs["spec"]["clusterQueue"] for one in tenant_queues().of("LocalQueue")}
    assert found == {"team-blue": "blue", "team-red": "red"}


def waited_for(one):
    return one.inputs["metadata"].get("annotations", {}).get("pulumi.com/waitFor")


def test_roles_that_kubernetes_fills_are_there_before_the_release_and_go_after_it():
    graph = sharing()
    release = graph.one("Release", "fair-chart")
    assert release.inputs["skipAwait"] is True, "the release would wait for what Kubernetes makes anew"
    roles = {one.object_name: one for one in graph.of("ClusterRole")}
    assert set(roles) == {"kueue-batch-admin-role", "kueue-batch-user-role"}
    for one in roles.values():
        assert one.urn in graph.before(release)
        notes = one.inputs["metadata"]["annotations"]
        assert notes["meta.helm.sh/release-name"] == release.inputs["name"]
        assert notes["meta.helm.sh/release-namespace"] == "kueue-system"


def test_queues_are_awaited_by_a_condition_that_the_manager_writes_and_come_after_its_webhook():
    graph = sharing()
    manager = graph.one("DeploymentPatch", "fair-manager")
    assert manager.object_name == "kueue-controller-manager"
    assert graph.one("Release", "fair-chart").urn in graph.before(manager)
    for kind in ("ResourceFlavor", "Cohort", "ClusterQueue", "WorkloadPriorityClass"):
        assert graph.of(kind), kind
        for one in graph.of(kind):
            assert manager.urn in graph.before(one), one.name
            assert waited_for(one) == ("condition=Active" if kind == "ClusterQueue" else None)
    assert {waited_for(one) for one in tenant_queues().of("LocalQueue")} == {"condition=Active"}
    queue = graph.one("ClusterQueue", "blue")
    assert {"fair-pool-slices", "fair-pool-whole", "fair-cohort"} <= {
        graph.by_urn(urn).name for urn in graph.before(queue)
    }


def test_more_than_a_pool_has_is_promised_to_nobody():
    greedy = [{**TENANTS[0], "guaranteed": [{"pool": "whole", "resource": WHOLE, "count": 5}]}]
    with pytest.raises(ArgsError, match=r"pool whole has 4 x corral.dev/gpu, and tenants are promised 5"):
        sharing(tenants=greedy)
    elsewhere = [{**TENANTS[0], "guaranteed": [{"pool": "slices", "resource": WHOLE, "count": 1}]}]
    with pytest.raises(ArgsError, match="pool slices has 0 x"):
        sharing(tenants=elsewhere)


def test_of_somebody_elses_kueue_only_the_queues_are_ours_and_its_configuration_is_told():
    graph = sharing(existing=True, found=FOUND)
    assert installs(graph) == [] and graph.of("Namespace") == []
    assert len(graph.of("ClusterQueue")) == 2
    told = yaml.safe_load(graph.one("FairSharing").outputs["configuration"])
    assert told == {key: value for key, value in configuration().items() if key in told}
    assert set(told) == {"fairSharing", "integrations", "managedJobsNamespaceSelector", "resources"}
    with pytest.raises(pulumi.RunError, match="v1beta2 is needed"):
        old = {"spec": {"versions": [{"name": "v1beta1", "served": True}]}}
        sharing(existing=True, found={"clusterqueues.kueue.x-k8s.io": old})


def test_the_image_is_named_whatever_the_chart_names_and_comes_through_the_mirror():
    manager = values_of(sharing(), "fair-chart")["controllerManager"]["manager"]
    assert manager["image"]["repository"] == "registry.k8s.io/kueue/kueue"
    mirror = {"registry": "registry.example.eu/mirror", "pull_secret": "opens"}
    values = values_of(sharing(supply=mirror), "fair-chart")["controllerManager"]
    assert values["manager"]["image"]["repository"] == "registry.example.eu/mirror/kueue/kueue"
    assert values["imagePullSecrets"] == [{"name": "opens"}]


def test_two_managers_answer_unless_told_otherwise_since_pods_wait_for_their_webhook():
    values = values_of(sharing(), "fair-chart")["controllerManager"]
    assert values["replicas"] == 2 and values["podDisruptionBudget"] == {"enabled": True}
    values = values_of(sharing(replicas=1), "fair-chart")["controllerManager"]
    assert values["replicas"] == 1 and values["podDisruptionBudget"] == {"enabled": False}, (
        "one that may not be evicted would keep its node from being drained"
    )


def test_model_servers_go_before_the_other_workloads_of_their_tenant():
    graph = sharing()
    values = {one.object_name: one.inputs["value"] for one in graph.of("WorkloadPriorityClass")}
    names = graph.one("FairSharing").outputs["priorities"]
    assert values[names["high"]] > values[names["normal"]] > values[names["low"]]
    assert values[names["low"]] > 0, "the priority of what names none"


def test_without_the_prometheus_operator_nothing_of_its_types_is_made():
    graph = sharing(monitors=False)
    assert graph.of("PrometheusRule") == []
    assert values_of(graph, "fair-chart")["enablePrometheus"] is False
    assert sharing().one("PrometheusRule").namespace == "kueue-system"


def test_a_class_holds_the_slices_of_one_profile_and_fails_on_no_device():
    graph = build(lambda: DeviceClasses("classes", {"slices": [{"name": "small", "profile": "1g.5gb"}]}))
    made = graph.one("DeviceClass", "small")
    (chosen,) = made.inputs["spec"]["selectors"]
    parts = chosen["cel"]["expression"].split(" && ")
    assert parts == [
        "device.driver == 'gpu.nvidia.com'",
        "device.attributes['gpu.nvidia.com'].type == 'mig'",
        "device.attributes['gpu.nvidia.com'].profile == '1g.5gb'",
    ], "in one expression, for a whole GPU has no profile and asking for it is an error"
