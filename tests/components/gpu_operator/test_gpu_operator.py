import json

import pulumi
import pytest
import yaml
from tests.components.harness import build
from tests.components.installs import installed, installs, values_of

from corral.catalogue.platforms import platforms, precompiled_kernels
from corral.catalogue.vocabulary import DriverSource, Platform
from corral.components.dra_driver import DraDriver
from corral.components.dra_driver.values import dra_values
from corral.components.gpu_operator import GpuOperator
from corral.components.gpu_operator.mig import mig_parted
from corral.components.gpu_operator.validation import node_prerequisites
from corral.components.gpu_operator.values import operator_values

SEVENTHS = {"name": "slices", "gpus": [{"profiles": {"1g.5gb": 7}}]}


ROWS = platforms()
POLICY = {"devicePlugin": {"enabled": False}, "migManager": {"config": {"name": "corral-mig-parted"}}}


def operator(**more):
    return lambda: GpuOperator("gpus", {"platform": "preinstalled", "supply": {}, **more})


def dra(**more):
    return lambda: DraDriver("dra", {"platform": "preinstalled", "supply": {}, **more})


def policy(**more):
    """What an operator of somebody else has on the cluster."""
    crd = {"spec": {"versions": [{"name": "v1", "served": True}]}}
    return {"clusterpolicies.nvidia.com": crd, "cluster-policy": {"spec": {**POLICY, **more}}}


def test_seven_equal_slices_become_a_layout_of_every_gpu():
    assert yaml.safe_load(mig_parted([SEVENTHS]))["mig-configs"]["slices"] == [
        {"devices": "all", "mig-enabled": True, "mig-devices": {"1g.5gb": 7}}
    ]


def test_a_node_mixes_sliced_and_whole_gpus():
    mixed = {
        "name": "mixed",
        "gpus": [{"devices": [0, 1], "profiles": {"3g.20gb": 2}}, {"devices": [2, 3], "profiles": {}}],
    }
    assert yaml.safe_load(mig_parted([mixed]))["mig-configs"]["mixed"] == [
        {"devices": [0, 1], "mig-enabled": True, "mig-devices": {"3g.20gb": 2}},
        {"devices": [2, 3], "mig-enabled": False},
    ]


def test_nodes_without_a_label_find_the_layout_that_the_operator_gives_them():
    assert yaml.safe_load(mig_parted([]))["mig-configs"] == {
        "all-disabled": [{"devices": "all", "mig-enabled": False}]
    }


@pytest.mark.parametrize(
    ("configurations", "named"),
    [
        ([SEVENTHS, SEVENTHS], "'slices': given 2 times"),
        ([{"name": "all-disabled", "gpus": [{"profiles": {}}]}], "'all-disabled': reserved"),
        (
            [{"name": "x", "gpus": [{"devices": [0], "profiles": {}}, {"devices": [0], "profiles": {}}]}],
            "2 layouts for GPU 0",
        ),
        ([{"name": "x", "gpus": [{"profiles": {}}, {"devices": [0], "profiles": {}}]}], "must be the only"),
        ([{"name": "x", "gpus": []}], "has no layout"),
    ],
)
def test_a_layout_that_contradicts_itself_is_refused_by_name(configurations, named):
    with pytest.raises(pulumi.RunError, match=named):
        mig_parted(configurations)


def test_the_cluster_policy_points_to_the_layouts_that_lie_beside_the_operator():
    graph = build(operator(mig_configurations=[SEVENTHS]))
    layouts = graph.one("ConfigMap", "corral-mig-parted")
    assert layouts.namespace == "gpu-operator"
    assert "slices" in yaml.safe_load(layouts.inputs["data"]["config.yaml"])["mig-configs"]
    values = values_of(graph, "gpus-chart")
    assert values["migManager"]["config"]["name"] == layouts.object_name
    assert layouts.urn in graph.before(installed(graph, "gpus-chart")), "the MIG manager reads it at once"


def test_gpus_are_handed_out_by_one_driver_alone():
    with_dra = build(operator())
    assert values_of(with_dra, "gpus-chart")["devicePlugin"]["enabled"] is False
    assert values_of(build(dra()), "dra-chart")["gpuResourcesEnabledOverride"] is True
    without = build(operator(dra_driver="off"))
    assert values_of(without, "gpus-chart")["devicePlugin"]["enabled"] is True
    assert len(installs(without)) == 1, "no other driver beside the device plugin"


def test_where_the_dra_driver_cuts_slices_on_demand_nobody_else_does():
    graph = build(operator(dynamic_mig=True))
    assert values_of(build(dra(dynamic_mig=True)), "dra-chart")["featureGates"] == {"DynamicMIG": True}
    assert values_of(graph, "gpus-chart")["migManager"] == {"enabled": False}
    fixed = build(operator(mig_configurations=[SEVENTHS]))
    assert "featureGates" not in values_of(build(dra()), "dra-chart"), (
        "an alpha gate is on only where it is asked for"
    )
    assert values_of(fixed, "gpus-chart")["migManager"]["enabled"] is True


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"mig_configurations": [SEVENTHS]}, "destroys slices of"),
        ({"dra_driver": "off"}, "needs the DRA driver"),
    ],
)
def test_slices_on_demand_exclude_layouts_and_need_the_dra_driver(more, named):
    with pytest.raises(pulumi.RunError, match=named):
        build(operator(dynamic_mig=True, **more))


def test_resource_types_that_the_operators_chart_has_too_are_installed_once():
    assert installed(build(dra()), "dra-chart").inputs["skipCrds"] is True
    assert "skipCrds" not in installed(build(operator()), "gpus-chart").inputs


def test_a_dra_driver_of_somebody_else_is_not_installed_twice():
    graph = build(operator(dra_driver="existing"))
    assert [found.name for found in installs(graph)] == ["gpus-chart"]
    assert values_of(graph, "gpus-chart")["devicePlugin"]["enabled"] is False


def test_a_driver_installed_by_the_operator_lies_where_the_dra_driver_looks():
    graph = build(operator(platform="bare-metal"))
    assert values_of(graph, "gpus-chart")["driver"]["enabled"] is True
    beside = build(dra(platform="bare-metal"))
    assert values_of(beside, "dra-chart")["nvidiaDriverRoot"] == "/run/nvidia/driver"
    assert values_of(build(dra()), "dra-chart")["nvidiaDriverRoot"] == "/"


def test_an_existing_operator_gets_layouts_and_signals_and_nothing_is_installed():
    graph = build(operator(existing=True, dra_driver="existing"), found=policy())
    assert installs(graph) == []
    assert graph.of("Namespace") == [], "the namespace is the owner's"
    assert graph.one("ConfigMap", "corral-mig-parted").namespace == "gpu-operator"
    assert graph.one("PrometheusRule").inputs["spec"]["groups"]


def test_an_existing_operator_of_another_version_is_refused():
    crd = {"spec": {"versions": [{"name": "v2", "served": True}]}}
    with pytest.raises(pulumi.RunError, match="v1 is needed"):
        build(operator(existing=True), found={**policy(), "clusterpolicies.nvidia.com": crd})


def test_every_alert_and_panel_of_gpus_names_a_metric_that_the_exporter_has_by_default():
    graph = build(operator())
    rules = graph.one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
    (board,) = graph.one("ConfigMap", "corral-gpus").inputs["data"].values()
    boards = json.loads(board)
    queries = [rule["expr"] for rule in rules]
    queries += [target["expr"] for panel in boards["panels"] for target in panel["targets"]]
    assert all("DCGM_FI_" in query for query in queries)
    assert not any("SM_ACTIVE" in query for query in queries), "commented out in the exporter's counter file"


def test_without_the_prometheus_types_nothing_uses_them():
    graph = build(operator(monitors=False))
    assert graph.of("PrometheusRule") == []
    monitor = values_of(graph, "gpus-chart")["dcgmExporter"]["serviceMonitor"]
    assert monitor["enabled"] is False


def test_with_a_mirror_no_image_of_an_operand_comes_from_elsewhere():
    supply = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}
    metal = ROWS[Platform.BARE_METAL]
    operands = operator_values(metal, device_plugin=True, monitors=True, supply=supply)
    dra = dra_values(metal, supply=supply)
    sources = [value["repository"] for value in operands.values() if "repository" in value]
    sources += [dra["image"]["repository"], operands["driver"]["manager"]["repository"]]
    assert len(sources) == 19, "those of operands that are off as well"
    assert all(source.startswith("registry.example.eu/mirror/") for source in sources)
    assert operands["migManager"]["config"]["name"], "the mirror is added to, not put in place of, our values"
    assert operands["driver"]["imagePullSecrets"] == ["mirror"]
    assert dra["imagePullSecrets"] == [{"name": "mirror"}]


def plugged(name):
    """A stack file's choice that each platform allows."""
    return {"platform": name.value, **({"dra_driver": "off"} if ROWS[name].own_devices else {})}


@pytest.mark.parametrize("name", Platform, ids=lambda one: one.value)
def test_the_operator_installs_what_the_nodes_do_not_bring_and_nothing_else(name):
    row = ROWS[name]
    values = values_of(build(operator(**plugged(name))), "gpus-chart")
    installed_here = {
        "driver": row.driver,
        "toolkit": row.toolkit,
        "migManager": row.mig_manager,
    }
    for operand, source in installed_here.items():
        assert values[operand]["enabled"] is (source is DriverSource.OPERATOR), operand
    shared = values_of(build(operator(platform=name.value, dra_driver="off")), "gpus-chart")
    assert shared["devicePlugin"]["enabled"] is (row.device_plugin is DriverSource.OPERATOR)


@pytest.mark.parametrize("name", [one for one in Platform if not ROWS[one].own_devices])
def test_the_dra_driver_looks_where_the_platform_has_its_driver(name):
    graph = build(dra(platform=name.value))
    assert values_of(graph, "dra-chart")["nvidiaDriverRoot"] == ROWS[name].driver_root


def test_a_platform_with_a_device_plugin_of_its_own_is_refused_by_the_dra_driver():
    with pytest.raises(pulumi.RunError, match=r"dra\.platform: 'eks-bottlerocket' brings a device plugin"):
        build(dra(platform="eks-bottlerocket"))


def test_on_googles_read_only_system_driver_and_toolkit_lie_where_files_may():
    values = values_of(build(operator(platform="gke-cos")), "gpus-chart")
    assert values["hostPaths"] == {"driverInstallDir": "/home/kubernetes/bin/nvidia"}
    assert values["toolkit"]["installDir"] == "/home/kubernetes/bin/nvidia"
    assert values["toolkit"]["enabled"] is True and values["driver"]["enabled"] is False
    assert {"name": "RUNTIME_CONFIG_SOURCE", "value": "file"} in values["toolkit"]["env"]
    assert values["migManager"]["config"]["name"], "what the platform adds takes nothing away"


def test_where_nodes_are_rented_the_mig_manager_may_reboot_them():
    def reboots(name):
        env = values_of(build(operator(**plugged(name))), "gpus-chart")["migManager"].get("env", [])
        return {"name": "WITH_REBOOT", "value": "true"} in env

    rented = [one for one in Platform if one.value.startswith(("eks", "gke")) and not ROWS[one].own_devices]
    assert {one for one in Platform if reboots(one)} == set(rented)


@pytest.mark.parametrize("name", Platform, ids=lambda one: one.value)
def test_gke_admits_the_systems_pods_because_a_quota_names_them_before_they_come(name):
    def both():
        operator(**plugged(name))()
        if not ROWS[name].own_devices:
            dra(platform=name.value)()

    graph = build(both)
    quotas = graph.of("ResourceQuota")
    if not ROWS[name].critical_quota:
        assert quotas == []
        return
    assert {quota.namespace for quota in quotas} == {"gpu-operator", "dra-driver-nvidia-gpu"}
    for quota in quotas:
        (scope,) = quota.inputs["spec"]["scopeSelector"]["matchExpressions"]
        assert scope["scopeName"] == "PriorityClass"
        assert set(scope["values"]) == {"system-node-critical", "system-cluster-critical"}
    before = {urn for chart in installs(graph) for urn in graph.before(chart)}
    assert {quota.urn for quota in quotas} <= before


def test_what_nothing_of_ours_does_on_the_nodes_is_said():
    (line,) = node_prerequisites(Platform.GKE_COS)
    assert "label gke-no-default-nvidia-gpu-device-plugin=true" in line and "DaemonSet" in line
    assert list(node_prerequisites(Platform.BARE_METAL)) == []


SHARED = {"shared_pools": [{"name": "s", "by": "time-slicing", "shares": 2}], "dra_driver": "off"}


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "gpus.dra_driver: 'managed', but the image of eks-bottlerocket brings a device plugin"),
        ({"dra_driver": "existing"}, "gpus.dra_driver: 'existing', but the image"),
        (SHARED, "gpus.shared_pools: the image of eks-bottlerocket shares GPUs by its own settings"),
        (
            {"mig_configurations": [SEVENTHS], "dra_driver": "off"},
            "gpus.mig_configurations: the image of eks-bottlerocket cuts GPUs by its own settings",
        ),
        ({"precompiled_driver": 580, "dra_driver": "off"}, "eks-bottlerocket brings its driver itself"),
    ],
)
def test_an_image_that_hands_out_its_gpus_itself_is_not_overruled(more, line):
    with pytest.raises(pulumi.RunError, match=line):
        build(operator(platform="eks-bottlerocket", **more))


def test_a_driver_compiled_beforehand_is_named_by_its_branch():
    for name in ("bare-metal", "eks-ubuntu"):
        driver = values_of(build(operator(platform=name, precompiled_driver=580.0)), "gpus-chart")["driver"]
        assert (driver["enabled"], driver["usePrecompiled"], driver["version"]) == (True, True, "580")
    plain = values_of(build(operator(platform="bare-metal")), "gpus-chart")["driver"]
    assert plain == {"enabled": True}, "the chart's own driver, compiled on the node"


def test_a_kernel_that_nvidia_compiles_nothing_for_needs_a_registry_with_what_the_customer_built():
    assert ROWS[Platform.GKE_UBUNTU].kernel not in precompiled_kernels()
    with pytest.raises(pulumi.RunError, match="kernel flavour gke of gke-ubuntu, only for aws, azure"):
        build(operator(platform="gke-ubuntu", precompiled_driver=580))
    mirror = {"registry": "registry.example.eu"}
    graph = build(operator(platform="gke-ubuntu", precompiled_driver=580, supply=mirror))
    assert values_of(graph, "gpus-chart")["driver"]["repository"] == "registry.example.eu/nvidia"


def test_a_gpu_cluster_is_no_cluster_policy():
    with pytest.raises(KeyError, match="cluster-policy"):
        build(
            operator(existing=True),
            found={"clusterpolicies.nvidia.com": policy()["clusterpolicies.nvidia.com"]},
        )


@pytest.mark.parametrize(
    ("more", "spec", "line"),
    [
        ({}, {"devicePlugin": {}}, "devicePlugin.enabled is true, and beside a DRA driver"),
        ({"dra_driver": "off"}, {}, "devicePlugin.enabled is false, and no DRA driver"),
        ({"mig_configurations": [SEVENTHS]}, {"migManager": {}}, "migManager.config.name is ''; set it to"),
        (
            {"mig_configurations": [SEVENTHS]},
            {"migManager": {"enabled": False, "config": {"name": "corral-mig-parted"}}},
            "migManager.config.name",
        ),
        (SHARED, {"devicePlugin": {"config": {"name": "theirs"}}}, "devicePlugin.config.name is 'theirs'"),
    ],
)
def test_an_existing_operator_that_contradicts_the_stack_ends_the_run(more, spec, line):
    with pytest.raises(pulumi.RunError, match=line):
        build(operator(existing=True, **more), found=policy(**spec))


def test_an_existing_operator_that_reads_our_layouts_and_shares_is_taken():
    ours = {"devicePlugin": {"enabled": True, "config": {"name": "corral-device-plugin"}}}
    graph = build(operator(existing=True, mig_configurations=[SEVENTHS], **SHARED), found=policy(**ours))
    assert installs(graph) == []
    assert graph.of("ResourceQuota") == [], "the namespace is the owner's"


@pytest.mark.upstream
def test_with_a_mirror_no_repository_of_the_charts_own_values_is_left(upstream_charts):
    """Those of operands that no platform runs, too: the cluster policy has them all."""
    upstream = yaml.safe_load((upstream_charts / "gpu-operator" / "values.yaml").read_text())
    ours = operator_values(
        platforms()[Platform.BARE_METAL],
        device_plugin=False,
        monitors=True,
        supply={"registry": "registry.example.eu/mirror"},
    )
    expected = {
        path: repository.replace("nvcr.io/", "registry.example.eu/mirror/")
        for path, repository in repositories(upstream)
        # A driver of vGPUs is the user's own, and DRA's is a chart of its own.
        if repository and path != ("draDriver",)
    }
    assert len(expected) > 15
    assert {path: found for path, found in repositories(ours) if path in expected} == expected


def repositories(values, path=()):
    for key, one in values.items():
        if key == "repository":
            yield path, one
        elif isinstance(one, dict):
            yield from repositories(one, (*path, key))
