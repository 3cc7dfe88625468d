"""The DRA driver's own chart under the values that we give it."""

import pytest
from tests.charts.conftest import objects

from corral.catalogue.platforms import platforms
from corral.catalogue.vocabulary import Platform
from corral.components.dra_driver.component import CHART
from corral.components.dra_driver.values import dra_values
from corral.embedded import toolchain

pytestmark = pytest.mark.engine
PREINSTALLED = platforms()[Platform.PREINSTALLED]


@pytest.fixture
def rendered(render):
    def of(values):
        found = objects(render(toolchain.chart(CHART), CHART, values))
        return {(entry["kind"], entry["metadata"]["name"]): entry for entry in found}

    return of


def test_the_device_classes_are_those_that_models_claim(rendered):
    found = rendered(dra_values(PREINSTALLED, supply={}))
    classes = {name: entry for (kind, name), entry in found.items() if kind == "DeviceClass"}
    assert {"gpu.nvidia.com", "mig.nvidia.com"} <= set(classes)
    assert not any(name.startswith("compute-domain") for name in classes)
    mig = classes["mig.nvidia.com"]
    assert mig["apiVersion"] == "resource.k8s.io/v1"
    assert "type == 'mig'" in mig["spec"]["selectors"][0]["cel"]["expression"]


def test_the_dra_driver_refuses_to_share_gpus_with_the_device_plugin(render):
    values = {**dra_values(PREINSTALLED, supply={}), "gpuResourcesEnabledOverride": False}
    assert "refused" in render(toolchain.chart(CHART), CHART, values)


def test_feature_gates_reach_the_containers_of_the_kubelet_plugin_as_upstream_hands_them_on(rendered):
    def gates(**more):
        values = {**dra_values(PREINSTALLED, supply={}), "resources": {}, **more}
        daemon = rendered(values)["DaemonSet", "dra-driver-nvidia-gpu-kubelet-plugin"]
        return {
            container["name"]: [one["value"] for one in container["env"] if one["name"] == "FEATURE_GATES"]
            for container in daemon["spec"]["template"]["spec"]["containers"]
        }

    assert gates() == {"gpus": [], "compute-domains": []}
    text = ["DynamicMIG=true,MPSSupport=false,"]
    found = gates(featureGates={"MPSSupport": False, "DynamicMIG": True})
    assert found == {"gpus": text, "compute-domains": text}
