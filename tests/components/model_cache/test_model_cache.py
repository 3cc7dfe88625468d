"""Models on the disks of nodes: where KServe fetches them, by what, and how a replica uses them."""

import hashlib

import pytest
from tests.components.harness import build
from tests.components.test_model import STORE, SUM, model, predictor

from corral.catalogue.addons import definition
from corral.catalogue.vocabulary import Addon
from corral.components._kit import ArgsError
from corral.components.gpu_node_pool import ExistingGpuNodePool
from corral.components.kserve import KServe
from corral.components.model import Model
from corral.components.model_cache import ModelCache
from corral.components.model_cache.objects import FOLDER, USER

POOLS = [{"pool": "whole", "room_gib": 500}]
MIRROR = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}
HERE = {"cert_manager": "cert-manager", "kyverno_types": "kyverno"}


def cached(**more):
    args = {"pools": POOLS, "store": STORE, "supply": {}, **HERE, **more}
    return build(lambda: ModelCache("model-cache", args))


def kept(**more):
    """The graph of a model that nodes keep."""
    args = {
        "namespace": "team",
        "engine": "llama.cpp",
        "runtime": "corral-llamacpp",
        "resource": {"name": "nvidia.com/gpu"},
        "supply": {},
        "source": "package://tiny/1.0/m.gguf",
        "files": [{"name": "m.gguf", "sha256": SUM, "size": 7}],
        "license": "Apache-2.0",
        "store": STORE,
        "path": "tiny-0123",
        "cache": {"node_group": "whole", "size_gib": 3},
    }
    return build(lambda: Model("tiny", {**args, **more}))


def test_a_node_group_is_the_nodes_of_its_pool_and_their_folder():
    spec = cached().one("LocalModelNodeGroup").inputs["spec"]
    volume, claim = spec["persistentVolumeSpec"], spec["persistentVolumeClaimSpec"]
    assert spec["storageLimit"] == volume["capacity"]["storage"] == "500Gi"
    assert claim["resources"]["requests"]["storage"] == "500Gi"
    assert volume["local"]["path"] == FOLDER == "/models", "what the chart's agent mounts"
    (term,) = volume["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "corral.dev/pool", "operator": "In", "values": ["whole"]}]
    assert volume["storageClassName"] == claim["storageClassName"], "KServe binds them by name"


def test_a_download_is_verified_by_our_tools_and_reads_by_a_key_of_its_own():
    graph = cached()
    spec = graph.one("ClusterStorageContainer").inputs["spec"]
    assert spec["workloadType"] == "localModelDownloadJob"
    assert spec["supportedUriFormats"] == [{"prefix": "s3://models/"}]
    container = spec["container"]
    assert container["command"] == ["corral", "fetch"] and "corral" in container["image"]
    secret = graph.one("Secret")
    assert secret.namespace == STORE["namespace"], "beside the imports, where KServe's jobs run"
    held = {one["name"]: one.get("valueFrom") for one in container["env"]}
    assert held["AWS_SECRET_ACCESS_KEY"]["secretKeyRef"]["name"] == secret.object_name
    assert STORE["reader_secret_key"] not in str(spec)
    context = container["securityContext"]
    assert context["runAsNonRoot"] and context["runAsUser"] == USER, "the agent's user, which removes files"
    assert context["capabilities"] == {"drop": ["ALL"]} and not context["allowPrivilegeEscalation"]


def test_downloads_alone_bear_the_taint_of_gpu_nodes():
    spec = cached(supply=MIRROR).one("MutatingPolicy").inputs["spec"]
    assert spec["matchConstraints"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": STORE["namespace"]
    }
    (condition,) = spec["matchConditions"]
    assert "LocalModelNode" in condition["expression"]
    (mutation,) = spec["mutations"]
    text = mutation["jsonPatch"]["expression"]
    assert '"key": "nvidia.com/gpu"' in text and '"name": "mirror"' in text
    assert (
        "imagePullSecrets" not in cached().one("MutatingPolicy").inputs["spec"]["mutations"][0]["jsonPatch"]
    )


def test_kyverno_starts_anew_once_the_types_are_there_and_before_the_first_object_of_them():
    graph = cached()
    patch = graph.one("DeploymentPatch")
    assert patch.object_name == "kyverno-admission-controller" and patch.namespace == "kyverno"
    assert graph.one("Release", "model-cache-crds").urn in graph.before(patch)
    assert patch.urn in graph.before(graph.one("LocalModelNodeGroup"))


def test_the_agent_bears_the_taint_too_and_comes_from_the_mirror():
    values = cached(supply=MIRROR).one("Release", "model-cache-chart").inputs["values"]["kserve"]
    agent = values["localmodelnode"]["controller"]
    assert agent["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    for one in (agent, values["localmodel"]["controller"]):
        assert one["image"].startswith("registry.example.eu/mirror/")


def test_a_store_without_a_key_is_refused():
    keys = ("writer_secret", "reader_access_key", "reader_secret_key")
    store = {key: value for key, value in STORE.items() if key not in keys}
    with pytest.raises(ArgsError, match="no identity but a key"):
        cached(store={**store, "writer_account": "model-writer"})


def test_what_is_there_already_is_not_installed_again():
    name, version = definition(Addon.MODEL_CACHE)
    there = {name: {"spec": {"versions": [{"name": version, "served": True}]}}}
    args = {"pools": POOLS, "store": STORE, "supply": {}, **HERE, "existing": True}
    graph = build(lambda: ModelCache("model-cache", args), found=there)
    assert graph.of("Release") == [] and graph.of("LocalModelNodeGroup")


def test_kserve_fetches_beside_the_imports_and_its_agent_may_mount_a_folder_of_the_node():
    def made(**more):
        return build(lambda: KServe("kserve", {"supply": {}, "cert_manager": "there", **more}))

    level = "pod-security.kubernetes.io/enforce"
    graph, plain = made(cache_jobs="model-storage"), made()
    values = graph.one("Release", "kserve-chart").inputs["values"]["kserve"]
    assert values["localmodel"] == {
        "enabled": True,
        "jobNamespace": "model-storage",
        "securityContext": {"fsGroup": USER},
    }
    assert graph.one("Namespace").inputs["metadata"]["labels"][level] == "privileged"
    assert plain.one("Namespace").inputs["metadata"]["labels"][level] == "restricted"
    assert "localmodel" not in plain.one("Release", "kserve-chart").inputs["values"]["kserve"]


def test_nodes_that_keep_models_have_the_label_that_kserve_s_agent_runs_by():
    nodes = [{"name": "a", "model_cache": True}, {"name": "b"}]
    graph = build(lambda: ExistingGpuNodePool("pool", {"pool": "whole", "nodes": nodes}))
    labels = {one.object_name: one.inputs["metadata"]["labels"] for one in graph.of("NodePatch")}
    assert labels["a"]["kserve/localmodel"] == "worker" and "kserve/localmodel" not in labels["b"]


def test_a_cache_comes_after_the_import_and_before_the_model():
    graph = kept()
    cache, served = graph.one("LocalModelCache"), graph.one("InferenceService")
    uri = served.inputs["spec"]["predictor"]["model"]["storageUri"]
    assert cache.inputs["spec"] == {
        "sourceModelUri": uri,
        "modelSize": "3Gi",
        "nodeGroups": ["whole"],
    }, "KServe finds a model's cache by its URI"
    assert cache.object_name == "tiny-0123"
    assert graph.one("Job").urn in graph.before(cache) and cache.urn in graph.before(served)


def test_a_replica_verifies_the_files_of_its_node_and_can_write_none():
    spec = predictor(kept())
    (volume,) = spec["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "tiny-0123-whole", "readOnly": True}
    (loader,) = spec["initContainers"]
    key = hashlib.sha256(b"s3://models/tiny-0123").hexdigest()[:16]
    for one in (loader, spec["model"]):
        (mount,) = one["volumeMounts"]
        assert mount["readOnly"] is True and mount["subPath"] == f"models/{key}", "KServe's GetStorageKey"
        assert mount["mountPath"] == "/mnt/models"
    assert "--wait" in loader["args"] and f"m.gguf={SUM}" in loader["args"]


def test_a_model_that_no_node_keeps_has_a_directory_of_its_own():
    spec = predictor(model())
    (volume,) = spec["volumes"]
    assert "emptyDir" in volume
    (loader,) = spec["initContainers"]
    assert "--wait" not in loader["args"] and "readOnly" not in loader["volumeMounts"][0]
