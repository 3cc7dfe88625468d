import asyncio
import json
import tomllib

import pulumi
import pytest
from pulumi import ResourceHookArgs
from tests.components.harness import build

from corral.components._kit import ArgsError
from corral.components.model_storage import ModelStorage
from corral.components.model_storage.encryption_key import keeping

SECRETS = {"access_key": "canary-access", "secret_key": "canary-secret", "encryption_key": "ab" * 32}


def storage(found=None, **more):
    args = {"kind": "seaweedfs", "bucket": "models", "supply": {}, **SECRETS, **more}
    return build(lambda: ModelStorage("store", {k: v for k, v in args.items() if v is not None}), found=found)


def config(graph) -> dict:
    return graph.one("Secret", "model-storage-config").inputs["stringData"]


def test_the_store_encrypts_with_the_given_key_and_asks_every_caller_for_credentials():
    security = tomllib.loads(config(storage())["security.toml"])
    assert security["s3"]["sse"]["kek"] == "ab" * 32
    keys = {
        security["jwt"]["signing"]["key"],
        security["jwt"]["filer_signing"]["key"],
        security["jwt"]["filer_signing"]["read"]["key"],
    }
    assert len(keys) == 3 and "ab" * 32 not in keys, "a token key must not be the encryption key"


def test_servers_may_read_and_imports_may_write_and_only_the_administrator_may_all():
    identities = {one["name"]: one for one in json.loads(config(storage())["s3.json"])["identities"]}
    assert identities["reader"]["actions"] == ["Read:models", "List:models"]
    assert identities["writer"]["actions"] == ["Read:models", "List:models", "Write:models/*"]
    assert identities["admin"]["actions"] == ["Admin"]
    secrets = {one["credentials"][0]["secretKey"] for one in identities.values()}
    assert len(secrets) == 3, "each identity has a secret of its own"


def test_the_credentials_in_secrets_are_those_the_store_knows():
    graph = storage()
    known = {
        one["credentials"][0]["accessKey"]: one["credentials"][0]["secretKey"]
        for one in json.loads(config(graph)["s3.json"])["identities"]
    }
    for name in ("model-storage-writer", "model-storage-admin"):
        given = graph.one("Secret", name).inputs["stringData"]
        assert known[given["AWS_ACCESS_KEY_ID"]] == given["AWS_SECRET_ACCESS_KEY"]
    store = graph.one("ModelStorage").outputs["store"]
    assert known[store["reader_access_key"]] == store["reader_secret_key"]


def test_the_store_starts_anew_with_other_keys_and_with_nothing_else():
    def revision(**more):
        template = storage(**more).one("StatefulSet").inputs["spec"]["template"]
        return template["metadata"]["annotations"]["corral.dev/credential-revision"]

    assert revision() == revision(size_gib=100)
    assert len({revision(), revision(secret_key="another"), revision(access_key="another")}) == 3


def test_tenants_with_batches_have_a_bucket_beside_that_of_models_and_a_prefix_each():
    graph = storage(batch_tenants=["red", "blue"])
    identities = {one["name"]: one for one in json.loads(config(graph)["s3.json"])["identities"]}
    assert identities["batch-red"]["actions"] == [
        "Read:batches/red/*",
        "List:batches/red/*",
        "Write:batches/red/*",
    ]
    keys = graph.one("ModelStorage").outputs["batches"]["keys"]
    for tenant, key in keys.items():
        assert identities[f"batch-{tenant}"]["credentials"] == [
            {"accessKey": key["access_key"], "secretKey": key["secret_key"]}
        ]
    assert len({key["secret_key"] for key in keys.values()}) == 2
    assert identities["reader"]["actions"] == ["Read:models", "List:models"], "models' pods read no batches"
    assert "batches" not in config(storage())["s3.json"] and len(storage().of("Job")) == 1
    assert len(graph.of("Job")) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"bucket": "batches"},
        {"kind": "existing", "endpoint": "https://s3.example.eu", "encryption_key": None},
    ],
)
def test_batches_need_a_deployed_store_and_a_bucket_of_their_own(wrong):
    with pytest.raises(ArgsError, match="batch"):
        storage(batch_tenants=["red"], **wrong)


FORMER = storage().one("Secret", "model-storage-config").inputs


@pytest.mark.parametrize(
    ("former", "refused"),
    [
        (FORMER, False),
        ({**FORMER, "metadata": {"name": "model-storage-config"}}, False),
        (storage(encryption_key="cd" * 32).one("Secret", "model-storage-config").inputs, True),
    ],
    ids=["the same key", "of a version without the annotation", "another key"],
)
def test_an_update_with_another_encryption_key_is_refused(former, refused):
    async def keep():
        (hook,) = keeping("store").before_update
        await hook(ResourceHookArgs("urn", "id", "config", "type", new_inputs=FORMER, old_inputs=former))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulumi.resource_hooks.register_resource_hook", lambda hook: None)
        if refused:
            with pytest.raises(ValueError, match=r"store: the encryption key is another one .*docs/secrets"):
                asyncio.run(keep())
        else:
            asyncio.run(keep())


def test_the_refusal_comes_with_the_preview():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulumi.resource_hooks.register_resource_hook", lambda hook: None)
        (hook,) = keeping("store").before_update
    assert hook.opts.on_dry_run and not hook.opts.ignore_errors


def test_the_store_starts_only_once_its_volume_fits_its_key():
    pod = storage().one("StatefulSet").inputs["spec"]["template"]["spec"]
    (check,) = pod["initContainers"]
    mark, folder = check["args"][check["args"].index("--mark") + 1], check["args"][-1]
    mounted = {one["mountPath"]: one["name"] for one in check["volumeMounts"]}
    assert mounted[folder] == "data" and mounted[mark.rpartition("/")[0]] == "config"
    assert mark.rpartition("/")[2] in config(storage())
    assert check["securityContext"]["allowPrivilegeEscalation"] is False


def test_secrets_stay_marked():
    secrets = storage().of("Secret")
    assert secrets
    assert [one.name for one in secrets if not one.secrets] == []


def test_the_bucket_is_proven_after_the_store_answers():
    graph = storage()
    job = graph.one("Job")
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["bucket", "ensure", "--name", "models"]
    assert graph.one("StatefulSet").urn in graph.before(job)


def test_data_is_protected_unless_said_otherwise():
    assert {r.kind for r in storage() if r.protect} == {"StatefulSet", "PersistentVolumeClaim", "Secret"}
    loose = storage(protect=False)
    assert loose.of("StatefulSet") and not any(r.protect for r in loose)


def test_the_store_keeps_to_the_memory_that_it_asks_for():
    (container,) = storage().one("StatefulSet").inputs["spec"]["template"]["spec"]["containers"]
    soft = next(one["value"] for one in container["env"] if one["name"] == "GOMEMLIMIT")
    asked = container["resources"]["requests"]["memory"]
    assert int(soft.removesuffix("MiB")) < int(asked.removesuffix("Mi"))


def test_the_store_reports_to_nobody():
    (container,) = storage().one("StatefulSet").inputs["spec"]["template"]["spec"]["containers"]
    assert "-master.telemetry=false" in container["args"]


def test_only_clients_reach_s3_and_only_the_scraper_reaches_metrics():
    spec = storage(clients=["team"], scraper="watch").one("NetworkPolicy").inputs["spec"]
    assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
    assert "egress" not in spec, "the store calls nobody"
    s3, metrics = spec["ingress"]
    assert s3["ports"] == [{"protocol": "TCP", "port": 8333}]
    assert "team" in json.dumps(s3["from"]) and "watch" not in json.dumps(s3["from"])
    assert metrics["ports"] == [{"protocol": "TCP", "port": 9327}]
    assert "watch" in json.dumps(metrics["from"]) and "team" not in json.dumps(metrics["from"])


def test_the_job_of_a_bucket_is_no_pod_of_the_store_which_may_call_nobody_and_answers_for_it():
    graph = storage()
    labels = graph.one("Job").inputs["spec"]["template"]["metadata"]["labels"]
    spec = graph.one("NetworkPolicy").inputs["spec"]
    for chosen in (graph.one("Service").inputs["spec"]["selector"], spec["podSelector"]["matchLabels"]):
        assert not chosen.items() <= labels.items()
    assert {"podSelector": {}} in spec["ingress"][0]["from"], "the Job calls from the store's namespace"


def test_pods_are_restricted():
    graph = storage()
    for workload in (graph.one("StatefulSet"), graph.one("Job")):
        pod = workload.inputs["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        (container,) = pod["containers"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_an_existing_store_is_wired_and_nothing_is_deployed():
    graph = storage(kind="existing", endpoint="https://s3.example.eu", encryption_key=None)
    assert graph.of("StatefulSet") == [] and graph.of("Job") == []
    store = graph.one("ModelStorage").outputs["store"]
    assert (store["endpoint"], store["port"]) == ("https://s3.example.eu", 443)
    assert graph.one("Secret").inputs["stringData"]["AWS_ACCESS_KEY_ID"] == "canary-access"


KEYLESS = {
    "kind": "s3",
    "endpoint": "https://s3.eu-central-1.amazonaws.com",
    "region": "eu-central-1",
    **dict.fromkeys(SECRETS),
}


def test_a_bucket_that_lets_pods_in_by_their_account_needs_no_key_and_deploys_nothing():
    graph = storage(**KEYLESS)
    assert graph.of("Secret") == [] and graph.of("StatefulSet") == [] and graph.of("Job") == []
    account = graph.one("ServiceAccount")
    store = graph.one("ModelStorage").outputs["store"]
    assert (account.namespace, account.object_name) == (store["namespace"], store["writer_account"])
    assert store["port"] == 443 and not [key for key in store if "key" in key or "secret" in key]


def test_a_bucket_of_cloud_storage_needs_nothing_but_its_name():
    graph = storage(kind="gcs", **dict.fromkeys(SECRETS))
    assert graph.of("Secret") == [] and graph.of("StatefulSet") == [] and graph.of("Job") == []
    store = graph.one("ModelStorage").outputs["store"]
    assert (store["scheme"], store["endpoint"]) == ("gs", "https://storage.googleapis.com")
    assert graph.one("ServiceAccount").object_name == store["writer_account"] == "model-writer"


def test_the_port_of_an_existing_store_is_its_urls():
    graph = storage(kind="existing", endpoint="http://minio.example:9000", encryption_key=None)
    assert graph.one("ModelStorage").outputs["store"]["port"] == 9000


def test_a_store_in_a_namespace_that_is_there_neither_makes_nor_labels_it():
    graph = storage(
        namespace="theirs", create_namespace=False, found={"theirs": {"metadata": {"name": "theirs"}}}
    )
    space = graph.one("Namespace")
    assert space.read and graph.one("StatefulSet").namespace == "theirs"


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"encryption_key": None}, "'encryption_key' is missing"),
        ({"kind": "existing", "encryption_key": None}, "'endpoint' is missing"),
        ({"secret_key": None}, "'secret_key' is missing; kind seaweedfs needs it"),
        ({"kind": "minio"}, "use one of seaweedfs, existing, s3, gcs"),
        ({**KEYLESS, "access_key": "a"}, "'access_key' is not of kind s3"),
        ({"kind": "gcs", "access_key": "a"}, "'access_key' is not of kind gcs"),
        ({**KEYLESS, "region": None}, "'region' is missing; kind s3 needs it"),
        ({"bucket": pulumi.Output.from_input("a")}, "'bucket' is an output"),
    ],
)
def test_what_is_missing_is_named(more, named):
    with pytest.raises(ArgsError, match=named):
        storage(**more)
