"""KServe's controller of LLMInferenceServices: what it is installed with, and in which order."""

from tests.components.harness import build

from corral.components.llm_inference_service import LlmInferenceService

TYPE = "llminferenceservices.serving.kserve.io"
SERVED = {"name": "v1alpha2", "served": True}
HERE = {"cert_manager": "cert-manager", "namespace": "kserve"}


def controller(**more):
    return build(lambda: LlmInferenceService("llm", {"supply": {}, **HERE, **more}))


def test_what_both_controllers_of_kserve_share_has_one_owner():
    values = controller().one("Release", "llm-chart").inputs["values"]["kserve"]
    assert values["createSharedResources"] is False
    assert values["llmisvc"]["createGIECRDs"] is False, "the router alone needs them, and no model has one"


def test_the_presets_that_the_controller_demands_are_there_empty_and_can_go_again():
    graph = controller()
    presets = {one.object_name: one for one in graph.of("LLMInferenceServiceConfig")}
    assert set(presets) == {
        "kserve-config-llm-template",
        "kserve-config-llm-worker-pipeline-parallel",
        "kserve-config-llm-decode-template",
        "kserve-config-llm-prefill-template",
    }
    for one in presets.values():
        assert one.namespace == "kserve" and not one.inputs.get("spec")
        assert graph.one("Release", "llm-chart").urn in graph.before(one), "its webhook evaluates them"
    manager = graph.one("Release", "llm-chart").inputs["values"]["kserve"]["llmisvc"]["controller"]
    assert {"name": "PREVENT_WELL_KNOWN_CONFIG_DELETION", "value": "false"} in manager["env"]


def test_types_come_before_the_controller():
    graph = controller()
    assert graph.one("Release", "llm-crds").urn in graph.before(graph.one("Release", "llm-chart"))


def test_images_and_credentials_come_from_the_mirror():
    mirror = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}
    values = controller(supply=mirror).one("Release", "llm-chart").inputs["values"]["kserve"]["llmisvc"]
    manager = values["controller"]
    assert manager["image"] == "registry.example.eu/mirror/kserve/llmisvc-controller"
    assert manager["imagePullSecrets"] == [{"name": "mirror"}]
    assert manager["imagePullPolicy"] == "IfNotPresent"


def test_of_a_controller_that_is_there_only_the_type_is_checked():
    there = {TYPE: {"metadata": {"name": TYPE}, "spec": {"versions": [SERVED]}}}
    args = {"supply": {}, **HERE, "existing": True}
    graph = build(lambda: LlmInferenceService("llm", args), found=there)
    assert graph.of("Release") == [] and graph.of("LLMInferenceServiceConfig") == []
