import json

import pulumi
import pytest
import yaml
from tests.components.harness import build
from tests.components_parts.installs import installed, installs, values_of

from corral.components.gpu_operator import GpuOperator
from corral.components.gpu_operator.mig import mig_parted
from corral.components.gpu_operator.values import dra_values, operator_values

SEVENTHS = {"name": "slices", "gpus": [{"profiles": {"1g.5gb": 7}}]}


def operator(**more):
    return lambda: GpuOperator("gpus", {"driver": "node-image", "supply": {}, **more})


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
    assert values_of(with_dra, "gpus-dra-chart")["gpuResourcesEnabledOverride"] is True
    without = build(operator(dra_driver="off"))
    assert values_of(without, "gpus-chart")["devicePlugin"]["enabled"] is True
    assert len(installs(without)) == 1, "no DRA driver beside the device plugin"


def test_where_the_dra_driver_cuts_slices_on_demand_nobody_else_does():
    graph = build(operator(dynamic_mig=True))
    assert values_of(graph, "gpus-dra-chart")["featureGates"] == {"DynamicMIG": True}
    assert values_of(graph, "gpus-chart")["migManager"] == {"enabled": False}
    fixed = build(operator(mig_configurations=[SEVENTHS]))
    assert "featureGates" not in values_of(fixed, "gpus-dra-chart"), (
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
    with pytest.raises(Exception, match=named):
        build(operator(dynamic_mig=True, **more))


def test_a_dra_driver_of_somebody_else_is_not_installed_twice():
    graph = build(operator(dra_driver="existing"))
    assert [found.name for found in installs(graph)] == ["gpus-chart"]
    assert values_of(graph, "gpus-chart")["devicePlugin"]["enabled"] is False


def test_a_driver_installed_by_the_operator_lies_where_the_dra_driver_looks():
    graph = build(operator(driver="operator"))
    assert values_of(graph, "gpus-chart")["driver"]["enabled"] is True
    assert values_of(graph, "gpus-dra-chart")["nvidiaDriverRoot"] == "/run/nvidia/driver"
    assert values_of(build(operator()), "gpus-dra-chart")["nvidiaDriverRoot"] == "/"


def test_an_existing_operator_gets_layouts_and_signals_and_nothing_is_installed():
    crd = {"spec": {"versions": [{"name": "v1", "served": True}]}}
    graph = build(operator(existing=True, dra_driver="existing"), found={"clusterpolicies.nvidia.com": crd})
    assert installs(graph) == []
    assert graph.of("Namespace") == [], "the namespace is the owner's"
    assert graph.one("ConfigMap", "corral-mig-parted").namespace == "gpu-operator"
    assert graph.one("PrometheusRule").inputs["spec"]["groups"]


def test_an_existing_operator_of_another_version_is_refused():
    crd = {"spec": {"versions": [{"name": "v2", "served": True}]}}
    with pytest.raises(Exception, match="v1 is needed"):
        build(operator(existing=True), found={"clusterpolicies.nvidia.com": crd})


def test_every_alert_and_panel_of_gpus_names_a_metric_that_the_exporter_has_by_default():
    graph = build(operator())
    rules = graph.one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
    boards = json.loads(graph.one("ConfigMap", "corral-gpus").inputs["data"]["corral-gpus.json"])
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
    from corral.components.gpu_operator import DriverSource

    operands = operator_values(DriverSource.OPERATOR, device_plugin=True, monitors=True, supply=supply)
    dra = dra_values(DriverSource.OPERATOR, supply=supply)
    sources = [value["repository"] for value in operands.values() if "repository" in value]
    sources += [dra["image"]["repository"], operands["driver"]["manager"]["repository"]]
    assert len(sources) == 11
    assert all(source.startswith("registry.example.eu/mirror/") for source in sources)
    assert operands["migManager"]["config"]["name"], "the mirror is added to, not put in place of, our values"
    assert operands["driver"]["imagePullSecrets"] == ["mirror"]
    assert dra["imagePullSecrets"] == [{"name": "mirror"}]
