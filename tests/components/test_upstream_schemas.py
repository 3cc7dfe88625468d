"""Custom resources of these components against the resource types that upstream publishes, strictly."""

import copy
import os
import re
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml
from tests.components.admission.test_signatures import SIGSTORE
from tests.components.external_secrets.test_external_secrets import STORE, everything
from tests.components.gpu_node_pool.clouds import PLUGIN, eks
from tests.components.harness import build
from tests.components.llm_inference_service.test_llm_inference_service import controller
from tests.components.model_cache.test_model_cache import cached, kept
from tests.components.test_kserve_and_pools import INFERENCE
from tests.components.test_llm_service import GROUP, served
from tests.components.test_model import model
from tests.components.test_model_adapters import ON_VLLM, SQL
from tests.components.test_prefill import apart

from corral.catalogue.platforms import platforms
from corral.catalogue.vocabulary import Engine, Platform
from corral.components.admission import Admission
from corral.components.dra_driver.values import dra_values
from corral.components.envoy_gateway.values import envoy_gateway_crd_values, envoy_gateway_values
from corral.components.external_secrets import ExternalSecrets
from corral.components.external_secrets.values import external_secrets_values
from corral.components.fair_sharing import FairSharing, TenantQueues
from corral.components.fair_sharing.values import manager_configuration
from corral.components.gateway import Gateway
from corral.components.gpu_operator import GpuOperator
from corral.components.gpu_operator.values import operator_values
from corral.components.kserve import KServe
from corral.components.kserve.values import kserve_values
from corral.components.llm_inference_service.component import values as llm_values
from corral.components.lws.component import values as lws_values
from corral.components.model_cache.objects import chart_values
from corral.components.vector_db import VectorDatabase
from corral.stacks.deploy.component_args.admission import object_controls

pytestmark = pytest.mark.upstream
STAND_INS = Path(__file__).parents[2] / "embedded" / "charts"


@pytest.fixture(scope="module")
def upstream():
    root = Path(os.environ.get("CORRAL_UPSTREAM", Path(__file__).parents[3] / "shared" / "upstream"))
    if not (root / "crds").is_dir():
        pytest.skip(f"no upstream data in {root}; set CORRAL_UPSTREAM")
    return root


@pytest.fixture(scope="module")
def schema_of(upstream):
    @cache
    def find(folder, plural_group, version):
        text = (upstream / "crds" / folder / f"{plural_group}.yaml").read_text()
        crd = yaml.load(text, Loader=yaml.CSafeLoader)
        served = next(v for v in crd["spec"]["versions"] if v["name"] == version and v["served"])
        return strict(served["schema"]["openAPIV3Schema"], top=True)

    return find


def strict(schema, *, top=False):
    """The schema with unknown keys refused, as a server with strict field validation does."""
    schema = copy.copy(schema)
    if top:
        own = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
        schema["properties"] = {**schema.get("properties", {}), **own}
    if schema.pop("x-kubernetes-int-or-string", False):
        return {"type": ["integer", "string"]}
    schema.pop("format", None)
    if "(?i)" in schema.get("pattern", ""):
        del schema["pattern"]  # Go's flag within a pattern, which Python's expressions do not have
    loose = schema.pop("x-kubernetes-preserve-unknown-fields", False)
    if "properties" in schema:
        schema["properties"] = {
            k: strict(v) if k != "metadata" else v for k, v in schema["properties"].items()
        }
        if not loose and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = strict(schema["additionalProperties"])
    if "items" in schema:
        schema["items"] = strict(schema["items"])
    return schema


def validate(made, schema):
    """Checks `made` alone: checking a published schema again for each object takes most of the time."""
    jsonschema.Draft202012Validator(schema).validate(made)


TYPES = {
    "ServiceMonitor": ("kube-prometheus-stack", "servicemonitors.monitoring.coreos.com", "v1"),
    "PodMonitor": ("kube-prometheus-stack", "podmonitors.monitoring.coreos.com", "v1"),
    "PrometheusRule": ("kube-prometheus-stack", "prometheusrules.monitoring.coreos.com", "v1"),
    "Certificate": ("cert-manager", "certificates.cert-manager.io", "v1"),
    "Issuer": ("cert-manager", "issuers.cert-manager.io", "v1"),
}


def program():
    GpuOperator("gpus", {"platform": "preinstalled", "supply": {}})
    shared = {"credential": "x", "supply": {}, "cert_manager": "cert-manager"}
    VectorDatabase("vectors", {"engine": "pgvector", **shared})
    VectorDatabase("other", {"engine": "qdrant", "namespace": "other", **shared})


def test_every_custom_resource_of_these_components_is_accepted(schema_of):
    found = [r for r in build(program) if "apiVersion" in r.inputs and r.kind in TYPES]
    assert {r.kind for r in found} == set(TYPES), "each type is tried at least once"
    for resource in found:
        validate(resource.inputs, schema_of(*TYPES[resource.kind]))


KYVERNO = {
    kind: ("kyverno", f"{kind.lower().removesuffix('y')}ies.policies.kyverno.io", "v1")
    for kind in ("ValidatingPolicy", "GeneratingPolicy", "MutatingPolicy", "ImageValidatingPolicy")
}


def test_every_policy_of_admission_is_one_that_kyverno_accepts(schema_of):
    args = {"controls": object_controls(), "profile": "eu-sovereign", "pod_security": "restricted"}
    args["signatures"] = {"keys": ["PEM"], "sigstore": SIGSTORE, "pull_secret": "mirror"}
    graph = build(lambda: Admission("admission", args))
    for kind, where in KYVERNO.items():
        found, schema = graph.of(kind), schema_of(*where)
        assert found, kind
        for one in found:
            validate(one.inputs, schema)


def test_a_misspelt_field_is_noticed(schema_of):
    wrong = {"spec": {"secretName": "x", "issuerRef": {"name": "y"}, "dnsName": ["z"]}}
    with pytest.raises(jsonschema.ValidationError, match="dnsName"):
        validate(wrong, schema_of(*TYPES["Certificate"]))


KARPENTER = {
    "NodePool": ("karpenter", "nodepools.karpenter.sh", "v1"),
    "EC2NodeClass": ("karpenter", "ec2nodeclasses.karpenter.k8s.aws", "v1"),
}
OWN_IMAGE = {"custom_image": {"id": "ami-1", "user_data": "#!/bin/sh"}, "devices": {"driver": "operator"}}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"disk": {"cloud_key": True}, "size": {"max": 3}, "security_groups": ["sg-1"]},
        {"capacity": {"purchase": "capacity-block", "reservation": "cr-1"}},
        {"image": "bottlerocket", "devices": {**PLUGIN, "startup_taint": True}, "image_release": "v1.50.0"},
        {"devices": {"mig_config": "all-1g.10gb"}},
        OWN_IMAGE,
    ],
)
def test_a_pool_of_karpenter_is_one_that_karpenter_accepts(more, schema_of):
    graph = eks(scaler="karpenter", subnets=["subnet-1"], **{"security_groups": ["sg-2"], **more})
    for kind, where in KARPENTER.items():
        validate(graph.one(kind).inputs, schema_of(*where))


def test_a_misspelt_field_of_karpenter_is_noticed(schema_of):
    pool = eks(scaler="karpenter", security_groups=["sg-1"]).one("NodePool").inputs
    pool["spec"]["template"]["spec"]["startUpTaints"] = []
    with pytest.raises(jsonschema.ValidationError, match="startUpTaints"):
        validate(pool, schema_of(*KARPENTER["NodePool"]))


KUEUE = {
    kind: ("kueue", f"{plural}.kueue.x-k8s.io", "v1beta2")
    for kind, plural in {
        "ResourceFlavor": "resourceflavors",
        "Cohort": "cohorts",
        "ClusterQueue": "clusterqueues",
        "LocalQueue": "localqueues",
        "WorkloadPriorityClass": "workloadpriorityclasses",
    }.items()
}
DEVICES = [{"pool": pool, "resource": f"corral.dev/{pool}", "count": 2} for pool in ("a", "b")]


@pytest.mark.parametrize("borrowing", [True, False])
def test_every_queue_is_one_that_kueue_accepts(borrowing, schema_of):
    tenants = [{"name": "blue", "namespace": "blue", "guaranteed": DEVICES[:1], "weight": 2}]
    args = {"supply": {}, "tenants": tenants, "offered": DEVICES, "borrowing": borrowing}
    queues = {"tenants": [{"tenant": "blue", "namespace": "blue"}]}
    graph = build(lambda: (FairSharing("fair", args), TenantQueues("queues", queues)))
    assert KUEUE.keys() - {one.kind for one in graph} == (set() if borrowing else {"Cohort"})
    for kind, where in KUEUE.items():
        for made in graph.of(kind):
            validate(made.inputs, schema_of(*where))
            for group in made.inputs.get("spec", {}).get("resourceGroups", []):
                for flavour in group["flavors"]:
                    names = [one["name"] for one in flavour["resources"]]
                    assert names == group["coveredResources"], "the schema says so in CEL"


def test_a_misspelt_field_of_a_queue_is_noticed(schema_of):
    wrong = {"spec": {"cohort": "corral"}}
    with pytest.raises(jsonschema.ValidationError, match="cohort"):
        validate(wrong, schema_of(*KUEUE["ClusterQueue"]))


ROUTES = {
    kind: ("gateway-api", f"{plural}.gateway.networking.k8s.io", "v1")
    for kind, plural in {
        "GatewayClass": "gatewayclasses",
        "Gateway": "gateways",
        "HTTPRoute": "httproutes",
        "ReferenceGrant": "referencegrants",
    }.items()
}
POLICIES = {
    kind: ("envoy-gateway", f"{plural}.gateway.envoyproxy.io", "v1alpha1")
    for kind, plural in {
        "EnvoyProxy": "envoyproxies",
        "ClientTrafficPolicy": "clienttrafficpolicies",
        "SecurityPolicy": "securitypolicies",
        "BackendTrafficPolicy": "backendtrafficpolicies",
        "EnvoyExtensionPolicy": "envoyextensionpolicies",
        "HTTPRouteFilter": "httproutefilters",
        "Backend": "backends",
    }.items()
}
PROVIDERS = [
    {"provider": "vault", "server": "https://vault.example.eu", "role": "corral"},
    {"provider": "aws", "region": "eu-central-1"},
    {"provider": "gcp", "region": "europe-west3", "project": "p"},
]
ENDPOINT = {"host": "models.example.eu", "controller": "there", "cert_manager": "there", "monitors": False}


def gateway_graph(**supply):
    tenant = {"name": "blue", "namespace": "blue", "models": ["chat"], "requests_per_minute": 9}
    issued = {"issuer": "https://id.example.eu", "jwks": "https://id.example.eu/keys", "audiences": ["m"]}
    tokens = {**issued, "network": "10.20.0.0/24"}
    limits = [{"tokens": 900, "unit": "Day"}, {"tokens": 50, "unit": "Minute"}]
    red = {**tenant, "name": "red", "namespace": "red", "tokens": tokens, "token_limits": limits}
    red["adapters"] = {"sql": "chat"}
    own = {**tokens, "audiences": ["g"], "ca": "PEM", "refresh_seconds": 20}
    tenants = [tenant, red, {**tenant, "name": "green", "namespace": "green", "tokens": own}]
    return build(
        lambda: Gateway("gateway", {**ENDPOINT, "tenants": tenants, "load_balancer": {"a": "b"}, **supply})
    )


PLACED = {
    "registry": "registry.example.eu",
    "pull_secret": "mirror",
    "node_selector": {"role": "system"},
    "tolerations": [{"key": "role", "operator": "Equal", "value": "system"}],
}


def test_every_object_of_the_gateway_is_one_that_its_types_accept(schema_of):
    graph = gateway_graph(supply=PLACED)
    for kind, where in {**ROUTES, **POLICIES}.items():
        found, schema = [one for one in graph.of(kind) if one.custom], schema_of(*where)
        assert found, kind
        for one in found:
            validate(one.inputs, schema)


def test_a_model_with_adapters_is_one_that_kserve_accepts(schema_of):
    made = model(**ON_VLLM, adapters=[SQL]).one("InferenceService").inputs
    schema = schema_of(*KEPT["InferenceService"])
    validate(made, schema)
    made["spec"]["predictor"]["initContainers"][1]["arg"] = []
    with pytest.raises(jsonschema.ValidationError, match="arg"):
        validate(made, schema)


def test_a_misspelt_field_of_a_policy_is_noticed(schema_of):
    wrong = {"spec": {"apiKeyAuth": {"credentialRef": [], "credentialRefs": [], "extractFrom": [{}]}}}
    with pytest.raises(jsonschema.ValidationError, match="credentialRef"):
        validate(wrong, schema_of(*POLICIES["SecurityPolicy"]))


@pytest.mark.parametrize(
    ("chart", "ours"),
    [
        ("gateway-helm", envoy_gateway_values(replicas=2, supply={"pull_secret": "mirror"})),
        ("gateway-crds-helm", envoy_gateway_crd_values()),
        ("external-secrets", external_secrets_values(replicas=2, supply={"pull_secret": "mirror"})),
    ],
)
def test_values_of_these_charts_are_keys_of_the_real_ones(chart, ours, upstream):
    real = yaml.safe_load((upstream / "charts" / chart / "values.yaml").read_text())

    def known(mine, theirs, path=""):
        for key, value in mine.items():
            # The controller's configuration is a type of its own: the chart passes it on.
            if path != "/config/envoyGateway":
                assert key in theirs, f"{path}/{key}"
                # An empty mapping takes whatever keys there are, such as resources.
                if isinstance(value, dict) and theirs[key]:
                    known(value, theirs[key], f"{path}/{key}")

    known(ours, real)


KEPT = {
    kind: ("kserve", f"{plural}.serving.kserve.io", version)
    for kind, plural, version in (
        ("LocalModelNodeGroup", "localmodelnodegroups", "v1alpha1"),
        ("LocalModelCache", "localmodelcaches", "v1alpha1"),
        ("ClusterStorageContainer", "clusterstoragecontainers", "v1alpha1"),
        ("InferenceService", "inferenceservices", "v1beta1"),
    )
} | {"MutatingPolicy": KYVERNO["MutatingPolicy"]}


SERVED = {
    "InferenceService": KEPT["InferenceService"],
    "ClusterServingRuntime": ("kserve", "clusterservingruntimes.serving.kserve.io", "v1alpha1"),
}


def test_a_model_of_each_engine_and_its_runtime_are_what_kserve_accepts(schema_of):
    schemas = {kind: schema_of(*where) for kind, where in SERVED.items()}
    models = [model(engine=one.value, priority_class="corral-high", replicas_min=2) for one in Engine]
    runtimes = build(lambda: KServe("kserve", {"supply": {}, "existing": True}), found=INFERENCE)
    found = [one for graph in (*models, runtimes) for one in graph if one.kind in SERVED]
    assert len(found) == 2 * len(Engine)
    for one in found:
        validate(one.inputs, schemas[one.kind])
    wrong = copy.deepcopy(models[0].one("InferenceService").inputs)
    wrong["spec"]["predictor"]["topologySpreadConstraints"][0]["matchLabelsKeys"] = []
    with pytest.raises(jsonschema.ValidationError, match="matchLabelsKeys"):
        validate(wrong, schemas["InferenceService"])


def test_what_keeps_models_on_nodes_is_what_kserve_and_kyverno_accept(schema_of):
    for graph in (cached(), cached(supply=PLACED), kept()):
        for one in graph:
            if one.kind in KEPT:
                validate(one.inputs, schema_of(*KEPT[one.kind]))
    assert {one.kind for graph in (cached(), kept()) for one in graph} >= KEPT.keys()


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("LocalModelNodeGroup", "persistentVolumeSpec"),
        ("LocalModelNodeGroup", "persistentVolumeClaimSpec"),
        ("LocalModelCache", ""),
        ("ClusterStorageContainer", "container"),
        ("MutatingPolicy", "matchConstraints"),
    ],
)
def test_a_misspelt_field_of_what_keeps_models_is_noticed(kind, path, schema_of):
    (made, *_) = [*cached().of(kind), *kept().of(kind)]
    wrong = copy.deepcopy(made.inputs)
    (wrong["spec"][path] if path else wrong["spec"])["nodeGroop"] = "x"
    with pytest.raises(jsonschema.ValidationError, match="nodeGroop"):
        validate(wrong, schema_of(*KEPT[kind]))


LLM = {
    kind: ("kserve", f"{kind.lower()}s.serving.kserve.io", "v1alpha2")
    for kind in ("LLMInferenceService", "LLMInferenceServiceConfig")
}


def test_what_is_made_for_llm_inference_services_is_what_kserve_accepts(schema_of):
    graphs = (
        served(),
        served(**GROUP),
        apart(),
        served(weights="simulated", source=None, files=None, store=None),
        controller(),
    )
    found = [one for graph in graphs for one in graph if one.kind in LLM]
    assert {one.kind for one in found} == LLM.keys()
    for one in found:
        validate(one.inputs, schema_of(*LLM[one.kind]))


@pytest.mark.parametrize("path", ["template", "worker", "parallelism", "model", "storageInitializer", ""])
def test_a_misspelt_field_of_an_llm_inference_service_is_noticed(path, schema_of):
    wrong = copy.deepcopy(served(**GROUP).one("LLMInferenceService").inputs)
    (wrong["spec"][path] if path else wrong["spec"])["servise"] = "x"
    with pytest.raises(jsonschema.ValidationError, match="servise"):
        validate(wrong, schema_of(*LLM["LLMInferenceService"]))


@pytest.mark.parametrize("path", ["", "prefill", "prefill.template", "template.initContainers"])
def test_a_misspelt_field_of_either_side_is_noticed(path, schema_of):
    wrong = copy.deepcopy(apart().one("LLMInferenceService").inputs)
    place = wrong["spec"]
    for key in filter(None, path.split(".")):
        place = place[key]
    (place[-1] if isinstance(place, list) else place)["servise"] = "x"
    with pytest.raises(jsonschema.ValidationError, match="servise"):
        validate(wrong, schema_of(*LLM["LLMInferenceService"]))


@pytest.mark.parametrize(
    ("chart", "ours"),
    [
        # A security context is Kubernetes' own type, which the chart passes on whole.
        ("lws", lws_values({"pull_secret": "mirror"}, replicas=1) | {"podSecurityContext": {}}),
        ("kserve-llmisvc-resources", llm_values({"pull_secret": "mirror"})),
        ("kserve-localmodel-resources", chart_values({})),
        (
            "kserve-resources",
            {"kserve": {"localmodel": kserve_values({}, cache_jobs="x")["kserve"]["localmodel"]}},
        ),
    ],
)
def test_values_of_further_charts_for_models_are_keys_of_the_real_ones(chart, ours, upstream):
    real = yaml.safe_load((upstream / "charts" / chart / "values.yaml").read_text())

    def known(mine, theirs, path=""):
        for key, value in mine.items():
            assert key in theirs, f"{path}/{key}"
            if isinstance(value, dict):
                known(value, theirs[key], f"{path}/{key}")

    known(ours, real)


SECRETS = {
    kind: ("external-secrets", f"{kind.lower()}s.external-secrets.io", "v1")
    for kind in ("ExternalSecret", "ClusterSecretStore")
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_secret_and_store_is_one_that_external_secrets_accepts(provider, schema_of):
    def program():
        everything(STORE)
        ExternalSecrets("es", {"supply": {}, "store": "platform", "namespaces": ["a"], **provider})

    graph = build(program)
    for kind, where in SECRETS.items():
        found, schema = graph.of(kind), schema_of(*where)
        assert found, kind
        for one in found:
            validate(one.inputs, schema)


def test_a_misspelt_field_of_a_secret_is_noticed(schema_of):
    wrong = {"spec": {"secretStoreRef": {"name": "s"}, "target": {"template": {"mergePolicies": "Merge"}}}}
    with pytest.raises(jsonschema.ValidationError, match="mergePolicies"):
        validate(wrong, schema_of(*SECRETS["ExternalSecret"]))


UNLISTED = {"deviceClassMappings", "deviceClassNames"}
"""Fields that the example in upstream's values leaves out (`configuration_types.go`, kueue v0.19.2)."""


def keys_of(content):
    """Every key, at any depth, of what is not named by us."""
    for key, value in content.items():
        yield key
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and key != "groupKindConcurrency":
                yield from keys_of(inner)


def test_the_managers_configuration_has_no_field_but_those_that_upstream_shows(upstream_charts):
    text = (upstream_charts / "kueue" / "values.yaml").read_text()
    mapping = [{"resource": "corral.dev/gpu", "device_class": "gpu.nvidia.com"}]
    ours = manager_configuration(["blue"], mapping, borrowing=True, ready_within_minutes=5)
    shown = set(re.findall(r"^[\s#-]*([A-Za-z]+):", text, re.MULTILINE))
    assert set(keys_of(ours)) - UNLISTED <= shown
    theirs = yaml.load(text, Loader=yaml.CSafeLoader)["managerConfig"]["controllerManagerConfigYaml"]
    example = yaml.safe_load(theirs)
    for key in ("apiVersion", "kind", "health", "webhook", "leaderElection"):
        assert ours[key] == example[key]
    assert ours["controller"]["groupKindConcurrency"] == example["controller"]["groupKindConcurrency"]
    assert set(ours["integrations"]["frameworks"]) <= set(example["integrations"]["frameworks"])


def test_the_driver_s_values_are_keys_of_the_real_chart_its_gates_too(upstream):
    real = yaml.safe_load((upstream / "charts" / "dra-driver-nvidia-gpu" / "values.yaml").read_text())
    ours = dra_values(platforms()[Platform.BARE_METAL], supply={"pull_secret": "mirror"}, dynamic_mig=True)
    assert ours["featureGates"] == {"DynamicMIG": True} and real["featureGates"] == {}
    assert set(ours) <= set(real)


@pytest.mark.engine
@pytest.mark.parametrize("supply", [{}, {"registry": "registry.example.eu", "pull_secret": "mirror"}])
def test_the_cluster_policy_of_the_stand_in_is_one_that_the_real_operator_accepts(supply, schema_of, render):
    values = operator_values(
        platforms()[Platform.BARE_METAL], device_plugin=False, monitors=True, supply=supply
    )
    text = render(STAND_INS / "gpu-operator", "gpu-operator", values)
    objects = [entry for entry in yaml.safe_load_all(text) if entry]
    policy = next(entry for entry in objects if entry["kind"] == "ClusterPolicy")
    validate(policy, schema_of("gpu-operator", "clusterpolicies.nvidia.com", "v1"))
