"""External Secrets: its operator and one store, and components that read their secrets from there."""

import pulumi
import pytest
from tests.components.harness import build

from corral.catalogue.addons import definition
from corral.catalogue.vocabulary import Addon
from corral.components._kit import ArgsError
from corral.components.envoy_gateway import EnvoyGateway
from corral.components.external_secrets import ExternalSecrets
from corral.components.gateway import Gateway
from corral.components.model import Model
from corral.components.model_storage import ModelStorage
from corral.components.observability import Observability
from corral.components.rate_limit_store import RateLimitStore
from corral.components.vector_db import VectorDatabase

STORE = {"name": "platform", "prefix": "corral/", "property": "value", "refresh": "15m"}
VAULT = {"supply": {}, "store": "platform", "provider": "vault", "server": "https://vault.example.eu:8200"}
TYPE, VERSION = definition(Addon.EXTERNAL_SECRETS)
THERE = {TYPE: {"spec": {"versions": [{"name": VERSION, "served": True}]}}}
TENANT = {"name": "blue", "namespace": "blue", "models": [], "requests_per_minute": 9}
ENDPOINT = {"host": "models.example.eu", "controller": "there", "cert_manager": "there", "monitors": False}
BUCKET = {"kind": "existing", "bucket": "models", "endpoint": "https://s3.example.eu"}


def everything(store):
    """Every component that takes secrets, with `store` or, without it, with secrets of the program."""
    held = {"secret_store": store} if store else {}
    plain = not store
    Observability(
        "metrics",
        {
            "supply": {},
            "alerts": "webhook",
            **held,
            **({"grafana_password": "canary-1", "alerts_url": "canary-2"} if plain else {}),
        },
    )
    VectorDatabase(
        "vectors",
        {
            "engine": "qdrant",
            "supply": {},
            "cert_manager": "there",
            **held,
            **({"credential": "canary-3"} if plain else {}),
        },
    )
    password = {"password": "canary-4"} if plain else held
    RateLimitStore("counts", {"supply": {}, **password})
    limits = {"store": "s:6379", "store_namespace": "token-limits", "store_port": 6379, **password}
    EnvoyGateway("envoy", {"supply": {}, "gateway_types": "there", "rate_limits": limits})
    Gateway("gateway", {**ENDPOINT, "supply": {}, "tenants": [TENANT], **held})
    keys = {"access_key": "canary-5", "secret_key": "canary-6"} if plain else held
    storage = ModelStorage("storage", {**BUCKET, "supply": {}, "monitors": False, **keys})
    stored = {"access-key": "source-intake-access-key", "secret-key": "source-intake-secret-key"}
    Model(
        "chat",
        {
            "namespace": "blue",
            "engine": "llama.cpp",
            "supply": {},
            "runtime": "llama.cpp",
            "resource": {"name": "nvidia.com/gpu"},
            "source": "s3://intake/chat",
            "source_access": {**held, "stored": stored} if store else keys,
            "files": [{"name": "m.gguf", "sha256": "0" * 64}],
            "license": "Apache-2.0",
            "store": storage.store,
            "monitors": False,
        },
    )


@pytest.fixture(scope="module")
def external():
    return build(lambda: everything(STORE))


def test_with_a_store_a_program_makes_no_secret_and_knows_none(external):
    assert not external.of("Secret")
    assert not [one.name for one in external if one.secrets]


def test_each_secret_of_the_program_has_its_counterpart_of_the_same_name_and_keys(external):
    def content(one):
        where = one.inputs["spec"]["target"]["template"] if one.kind == "ExternalSecret" else one.inputs
        return one.namespace, one.object_name, where.get("type", "Opaque")

    plain = build(lambda: everything(None))
    before = sorted(map(content, plain.of("Secret")))
    assert sorted(map(content, external.of("ExternalSecret"))) == before


def test_every_secret_is_read_again_owned_by_one_and_kept_when_the_store_is_emptied(external):
    for one in external.of("ExternalSecret"):
        spec = one.inputs["spec"]
        assert spec["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "platform"}
        assert (spec["refreshPolicy"], spec["refreshInterval"]) == ("Periodic", "15m")
        assert (spec["target"]["creationPolicy"], spec["target"]["deletionPolicy"]) == ("Owner", "Retain")
        assert one.inputs["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Ready"}


def test_keys_in_the_store_are_those_of_the_stack_s_configuration(external):
    read = {
        entry["remoteRef"]["key"]
        for one in external.of("ExternalSecret")
        for entry in one.inputs["spec"].get("data", [])
    }
    assert read == {
        f"corral/{key}"
        for key in (
            "grafana-password",
            "alerts-url",
            "vector-db-api-key",
            "token-limits-password",
            "storage-access-key",
            "storage-secret-key",
            "source-intake-access-key",
            "source-intake-secret-key",
        )
    }


def template(graph, name):
    return graph.one("ExternalSecret", name).inputs["spec"]["target"]["template"]


def test_a_value_within_quotes_is_quoted_when_it_is_written(external):
    assert template(external, "counts-credential")["data"] == {
        "password.conf": "requirepass {{ .password | toRawJson }}\n"
    }
    alerts = template(external, "metrics-alerts")["data"]["alertmanager.yaml"]
    assert '"url": {{ .url | toRawJson }},' in alerts


def test_what_kserve_reads_of_a_credential_stands_on_the_secret_that_is_made(external):
    metadata = template(external, "chat-store")["metadata"]
    assert metadata["annotations"]["serving.kserve.io/s3-endpoint"] == "s3.example.eu"
    assert metadata["labels"]["corral.dev/model"] == "chat"


def test_keys_of_callers_are_all_fields_of_one_entry_and_no_more_than_these(external):
    spec = external.one("ExternalSecret", "gateway-blue-keys").inputs["spec"]
    assert spec["dataFrom"] == [{"extract": {"key": "corral/keys-blue"}}]
    assert spec["target"]["creationPolicy"] == "Owner"
    assert spec["target"]["template"]["mergePolicy"] == "Merge"
    assert set(spec["target"]["template"]["data"]) == {"none"}


def test_another_revision_starts_the_pods_anew_that_read_a_secret_when_they_start():
    def revisions(store):
        graph = build(lambda: everything(store))
        counts = graph.one("StatefulSet", "counts-server").inputs["spec"]["template"]["metadata"]
        vectors = graph.one("Release", "vectors-chart").inputs["values"]["podAnnotations"]
        controller = graph.one("Release", "envoy-chart").inputs["values"]
        provider = controller["config"]["envoyGateway"]["provider"]["kubernetes"]
        limits = provider["rateLimitDeployment"]["pod"]["annotations"]
        grafana = graph.one("Release", "metrics-chart").inputs["values"]["grafana"]["podAnnotations"]
        pods = (counts["annotations"], vectors, limits, grafana)
        return [one["corral.dev/credential-revision"] for one in pods]

    assert revisions(STORE) == ["1"] * 4
    assert revisions({**STORE, "revision": "2"}) == ["2"] * 4


def test_the_mirror_s_credentials_come_from_the_store_in_each_namespace_that_is_made():
    supply = {"registry": "registry.example.eu", "pull_secret": "mirror", "registry_store": STORE}
    graph = build(lambda: RateLimitStore("counts", {"supply": supply, "secret_store": STORE}))
    (made,) = [one for one in graph.of("ExternalSecret") if one.object_name == "mirror"]
    spec = made.inputs["spec"]
    assert spec["target"]["template"]["type"] == "kubernetes.io/dockerconfigjson"
    assert spec["target"]["template"]["data"] == {".dockerconfigjson": "{{ .config }}"}
    assert spec["data"][0]["remoteRef"] == {"key": "corral/registry-auth", "property": "value"}
    assert made.urn in graph.before(graph.one("StatefulSet", "counts-server"))


@pytest.mark.parametrize("more", [{}, {"password": "x", "secret_store": STORE}])
def test_a_secret_has_one_owner(more):
    with pytest.raises(ArgsError, match="'password'"):
        build(lambda: RateLimitStore("counts", {"supply": {}, **more}))


def test_a_store_that_is_made_here_keeps_its_keys_in_the_program():
    args = {"kind": "seaweedfs", "bucket": "models", "supply": {}, "secret_store": STORE}
    with pytest.raises(ArgsError, match="not of kind seaweedfs"):
        build(lambda: ModelStorage("storage", args))


def test_the_store_is_entered_by_the_operator_s_own_account_for_named_namespaces():
    graph = build(lambda: ExternalSecrets("es", {**VAULT, "role": "eso", "namespaces": ["vector-db"]}))
    spec = graph.one("ClusterSecretStore").inputs["spec"]
    assert spec["conditions"] == [{"namespaces": ["vector-db"]}]
    assert spec["provider"]["vault"]["auth"]["kubernetes"] == {
        "mountPath": "kubernetes",
        "role": "eso",
    }
    assert graph.one("Release").urn in graph.before(graph.one("ClusterSecretStore"))


def test_who_edits_a_namespace_gets_no_right_to_read_the_store():
    values = build(lambda: ExternalSecrets("es", {**VAULT, "role": "eso"})).one("Release").inputs["values"]
    assert set(values["rbac"].values()) == {False}
    assert values["processPushSecret"] is values["processClusterExternalSecret"] is False


def existing(spec, **more):
    found = {**THERE, "platform": {"spec": spec}}
    return build(lambda: ExternalSecrets("es", {**VAULT, "existing": True, **more}), found=found)


def test_an_existing_store_is_read_and_nothing_is_installed():
    graph = existing({"provider": {"vault": {"server": "https://vault.example.eu:8200", "path": "kv"}}})
    assert not graph.of("Release")
    assert graph.one("ClusterSecretStore").read


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ({"vault": {"server": "https://vault.example.com"}}, "'https://vault.example.com'"),
        ({"aws": {"region": "us-east-1", "service": "SecretsManager"}}, "it has aws"),
    ],
)
def test_an_existing_store_that_is_another_than_stated_stops_the_run(provider, said):
    with pytest.raises(pulumi.RunError, match="ClusterSecretStore platform") as raised:
        existing({"provider": provider})
    assert said in str(raised.value)


def test_a_provider_says_what_it_needs():
    with pytest.raises(ArgsError, match="'role' is missing; a store of vault needs it"):
        build(lambda: ExternalSecrets("es", VAULT))
