"""A bucket for models on Cloud Storage: its graph, and what the pack has to say to it."""

from functools import cache
from typing import Any

import pulumi
import pytest
from tests.components import safeguards
from tests.components.eks_cluster.sdk import wrong_inputs
from tests.components.gke_cluster.clusters import (
    ANSWERS,
    COMPUTED,
    FRANKFURT,
    KEYS,
    NUMBER,
    PARIS,
    PROJECT,
    cluster_args,
    key,
)
from tests.components.harness import Graph, build
from tests.components.safeguards import changed, setting, without

from corral.components._kit import ArgsError
from corral.components.gke_cluster import GkeCluster
from corral.components.gke_model_bucket import GkeModelBucket
from corral.controls.control import Resource

READER = {"namespace": "chat", "service_account": "models"}
WRITER = {"namespace": "model-storage", "service_account": "import"}


def bucket_args(**more: Any) -> dict[str, Any]:
    return {
        "project": PROJECT,
        "region": FRANKFURT,
        "key_project": KEYS,
        "readers": [READER],
        "writers": [WRITER],
        **more,
    }


def bucket(**more: Any) -> Graph:
    computed = {"gcp:storage/bucket:Bucket": lambda name: {"name": f"{name}-1234567"}}
    return build(lambda: GkeModelBucket("models", bucket_args(**more)), answers=ANSWERS, computed=computed)


REFUSED = [
    ({"project": "x"}, "models.project: 'x' is not allowed"),
    ({"region": "EUR4"}, "models.region: 'EUR4' is not allowed; use a region"),
    ({"cluster_project": "A"}, "models.cluster_project: 'A' is not allowed"),
    ({"readers": [], "writers": []}, "models.readers: empty, and so are writers"),
    ({"writers": [READER]}, r"models.writers\[0\]: chat/models is models.readers\[0\] already"),
    ({"readers": [{**READER, "namespace": "Chat"}]}, r"models.readers\[0\].namespace: 'Chat'"),
    ({"readers": [{**READER, "service_account": "a/b"}]}, r"models.readers\[0\].service_account: 'a/b'"),
    ({"bucket": "Models"}, "models.bucket: 'Models' is not allowed"),
    ({"key": "k"}, "models.key: 'k' is not allowed; use the id of a key"),
    ({"key": key("m", PARIS)}, f"models.key: .* is in {PARIS}; use a key in {FRANKFURT}"),
    ({"retention_days": 0}, "models.retention_days: 0 is not allowed; use 1 or more"),
    ({"retention_days": 9, "old_version_days": 9}, "models.old_version_days: with retention_days"),
    ({"labels": {"A": "b"}}, "models.labels, key 'A'"),
    ({"access_key": "x"}, "unknown key 'access_key'"),
]


@pytest.mark.parametrize(("wrong", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_bucket_that_cannot_be_is_refused_and_nothing_is_made(wrong, said, monkeypatch):
    registered: list[str] = []
    monkeypatch.setattr(pulumi.Resource, "__init__", lambda self, kind, *_, **__: registered.append(kind))
    with pytest.raises(ArgsError, match=said) as refused:
        GkeModelBucket("models", {**bucket_args(), **wrong})
    assert registered == [] and len(str(refused.value).split("\n")) == 1


def test_a_bucket_without_a_key_or_a_project_for_one_is_refused():
    args = bucket_args()
    del args["key_project"]
    with pytest.raises(ArgsError, match=r"^models\.key: absent, and so is key_project"):
        GkeModelBucket("models", args)


@pytest.mark.parametrize("more", [{}, {"retention_days": 90, "key": key("models"), "bucket": "m.example"}])
def test_every_input_is_one_that_the_sdk_has(more):
    for one in bucket(**more):
        if one.custom:
            assert wrong_inputs(one.type, one.inputs) == [], one.name


def test_pods_are_let_in_by_their_account_and_there_is_no_credential():
    graph = bucket(cluster_project="acme-clusters")
    pool = f"projects/{NUMBER}/locations/global/workloadIdentityPools/acme-clusters.svc.id.goog"
    grants = {one.inputs["member"]: one.inputs["role"] for one in graph.of("BucketIAMMember")}
    principal = f"principal://iam.googleapis.com/{pool}/subject/ns"
    assert grants == {
        f"{principal}/chat/sa/models": "roles/storage.objectViewer",
        f"{principal}/model-storage/sa/import": "roles/storage.objectUser",
    }
    assert not any(one.type.startswith(("kubernetes:", "gcp:serviceaccount/")) for one in graph)


def test_the_key_is_made_in_its_own_project_and_used_by_cloud_storage_alone():
    graph = bucket()
    assert graph.one("KeyRing").inputs["project"] == KEYS
    agent = f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
    assert graph.one("CryptoKeyIAMMember").inputs["member"] == f"serviceAccount:{agent}"
    made = graph.one("gcp:storage/bucket:Bucket")
    assert made.inputs["encryption"] == {"defaultKmsKeyName": "models-models-id"}
    assert "models-models-storage" in {graph.by_urn(urn).name for urn in graph.before(made)}


def test_a_cluster_and_a_bucket_of_one_name_have_a_ring_each_and_a_long_name_fits():
    def program():
        GkeCluster("models", cluster_args())
        GkeModelBucket("models", bucket_args(bucket="m" * 63))
        GkeModelBucket("more", bucket_args(bucket="models"))

    graph = build(program, answers=ANSWERS, computed=COMPUTED)
    names = [one.inputs["name"] for one in graph.of("KeyRing")]
    assert len(set(names)) == 3 and max(map(len, names)) <= 63


def test_versions_are_kept_for_a_while_or_nothing_goes_for_a_period():
    kept = bucket(old_version_days=7).one("gcp:storage/bucket:Bucket").inputs
    assert kept["versioning"] == {"enabled": True} and "retentionPolicy" not in kept
    assert kept["lifecycleRules"][1]["condition"] == {"daysSinceNoncurrentTime": 7, "withState": "ARCHIVED"}
    fixed = bucket(retention_days=90).one("gcp:storage/bucket:Bucket").inputs
    assert fixed["retentionPolicy"] == {"retentionPeriod": "7776000", "isLocked": True}
    assert fixed["versioning"] == {"enabled": False} and len(fixed["lifecycleRules"]) == 1


def test_bucket_and_key_are_protected_unless_the_program_says_otherwise():
    assert {one.kind for one in bucket() if one.protect} == {"CryptoKey", "Bucket"}
    assert not any(one.protect for one in bucket(protect=False))


@cache
def resources() -> tuple[Resource, ...]:
    return tuple(
        Resource(
            one.type,
            one.name,
            one.inputs,
            urn=one.urn,
            provider={"region": FRANKFURT, "project": PROJECT},
            protect=one.protect,
        )
        for one in bucket(key=key("models"), labels={"owner": "platform", "data-class": "internal"})
        if one.custom
    )


def stopped(subjects: tuple[Resource, ...], name: str) -> set[str]:
    return {control for control, _ in safeguards.stopped(subjects, name, FRANKFURT)}


@pytest.mark.parametrize("name", ["eu-resident", "eu-controlled", "eu-sovereign"])
def test_no_control_stops_a_bucket(name):
    assert stopped(resources(), name) == set()


SAFEGUARDS = [
    ("SOV-KEY-03", "Bucket", without("encryption")),
    ("SOV-NET-13", "Bucket", setting("publicAccessPrevention", "inherited")),
    ("SOV-NET-13", "Bucket", setting("uniformBucketLevelAccess", False)),
    ("SOV-NET-14", "BucketIAMMember", setting("member", "allUsers")),
    ("SOV-RES-01", "Bucket", setting("location", "US")),
    ("SOV-OPS-06", "Bucket", setting("forceDestroy", True)),
    ("SOV-KEY-11", "Bucket", setting("encryption", {"defaultKmsKeyName": key("m", project=PROJECT)})),
]


@pytest.mark.parametrize(("control", "kind", "change"), SAFEGUARDS)
def test_without_a_safeguard_its_control_stops_the_bucket(control, kind, change):
    assert control in stopped(changed(resources(), kind, change), "eu-sovereign")
