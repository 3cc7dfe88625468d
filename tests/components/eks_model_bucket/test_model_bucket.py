"""A bucket for models on S3: its graph, what the pack has to say to it, and what moto makes of it."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any
from unittest import mock

import boto3
import moto
import pulumi
import pytest
from tests.components import safeguards
from tests.components.eks_cluster.clusters import BRANDENBURG, FRANKFURT, PARTITIONS, answers, computed
from tests.components.eks_cluster.sdk import wrong_inputs
from tests.components.harness import Graph, build
from tests.components.safeguards import changed

from corral.components._kit import ArgsError
from corral.components.eks_model_bucket import EksModelBucket
from corral.controls.control import Resource

READER = {"namespace": "chat", "service_account": "models"}
WRITER = {"namespace": "model-storage", "service_account": "import"}


def bucket_args(region: str = FRANKFURT, **more: Any) -> dict[str, Any]:
    return {
        "region": region,
        "cluster": "models",
        "bucket": "models.example",
        "readers": [READER],
        "writers": [WRITER],
        **more,
    }


@cache
def _bucket(region: str, locked: bool) -> Graph:
    lock = {"lock_days": 90} if locked else {}
    return build(
        lambda: EksModelBucket("models", bucket_args(region, **lock)),
        answers=answers(region),
        computed=computed(region),
    )


def bucket(region: str = FRANKFURT, *, locked: bool = False) -> Graph:
    return _bucket(region, locked)


REFUSED = [
    ({"region": "cn-north-1"}, "models.region: 'cn-north-1' is in no partition"),
    ({"readers": [], "writers": []}, "models.readers: empty, and so are writers"),
    ({"writers": [READER]}, r"models.writers\[0\]: chat/models is models.readers\[0\] already"),
    ({"readers": [{**READER, "namespace": "Chat"}]}, r"models.readers\[0\].namespace: 'Chat'"),
    ({"readers": [{**READER, "service_account": "a/b"}]}, r"models.readers\[0\].service_account: 'a/b'"),
    ({"bucket": "Models"}, "models.bucket: 'Models' is not allowed"),
    ({"lock_days": 0}, "models.lock_days: 0 is not allowed; use 1 or more"),
    ({"old_version_days": -1}, "models.old_version_days: -1 is not allowed"),
    ({"access_key": "x"}, "unknown key 'access_key'"),
]


@pytest.mark.parametrize(("wrong", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_bucket_that_cannot_be_is_refused_and_nothing_is_made(wrong, said, monkeypatch):
    registered: list[str] = []
    monkeypatch.setattr(pulumi.Resource, "__init__", lambda self, kind, *_, **__: registered.append(kind))
    with pytest.raises(ArgsError, match=said) as refused:
        EksModelBucket("models", {**bucket_args(), **wrong})
    assert registered == [] and len(str(refused.value).split("\n")) == 1


@pytest.mark.parametrize("region", PARTITIONS)
def test_every_input_is_one_that_the_sdk_has_and_of_the_region_and_its_partition(region):
    graph = bucket(region, locked=True)
    for one in graph:
        if one.custom:
            assert wrong_inputs(one.type, one.inputs) == [], one.name
            assert one.type.startswith("aws:iam/") or one.inputs["region"] == region
    written = repr([(one.inputs, one.outputs) for one in graph])
    assert {"aws": "arn:aws-eusc:", "aws-eusc": "arn:aws:"}[PARTITIONS[region]] not in written
    suffix = {"aws": "amazonaws.com", "aws-eusc": "amazonaws.eu"}[PARTITIONS[region]]
    assert graph.one("EksModelBucket").outputs["endpoint"] == f"https://s3.{region}.{suffix}"


def rights(graph: Graph, part: str) -> dict[str, list[str]]:
    policy = json.loads(graph.one("RolePolicy", f"models-{part}-own").inputs["policy"])
    return {one["Resource"]: one["Action"] for one in policy["Statement"]}


def test_readers_cannot_write_and_neither_reaches_another_bucket_or_key():
    graph = bucket()
    key = graph.one("EksModelBucket").outputs["key"]
    everything = {"arn:aws:s3:::models.example", "arn:aws:s3:::models.example/*", key}
    reader, writer = rights(graph, "reader"), rights(graph, "writer")
    assert set(reader) == set(writer) == everything
    assert all(action.startswith("s3:Get") for action in reader["arn:aws:s3:::models.example/*"])
    assert reader[key] == ["kms:Decrypt"] and "kms:GenerateDataKey" in writer[key]
    assert "s3:PutObject" in writer["arn:aws:s3:::models.example/*"]


def test_writers_read_the_buckets_that_models_come_from_and_write_none_of_them():
    graph = build(
        lambda: EksModelBucket("models", bucket_args(sources=["intake"])),
        answers=answers(FRANKFURT),
        computed=computed(FRANKFURT),
    )
    writer = rights(graph, "writer")
    assert all(one.startswith("s3:Get") for one in writer["arn:aws:s3:::intake/*"])
    assert "arn:aws:s3:::intake" in writer and "s3:PutObject" not in writer["arn:aws:s3:::intake"]
    assert set(rights(graph, "reader")) == set(rights(bucket(), "reader"))


def test_pods_get_their_role_by_their_account_and_there_is_no_key_of_an_identity():
    graph = bucket()
    roles = {
        (one.inputs["namespace"], one.inputs["serviceAccount"]): one.inputs["roleArn"].rpartition("/")[2]
        for one in graph.of("PodIdentityAssociation")
    }
    assert roles == {("chat", "models"): "models-reader", ("model-storage", "import"): "models-writer"}
    assert graph.of("AccessKey") == [] and not any(one.type.startswith("kubernetes:") for one in graph)


def test_the_bucket_s_name_is_known_once_it_is_closed():
    graph = bucket(locked=True)
    assert graph.one("EksModelBucket").outputs["bucket"] == "models.example"
    assert graph.one("aws:s3/bucket:Bucket").inputs["objectLockEnabled"] is True
    retention = graph.one("BucketObjectLockConfiguration").inputs["rule"]["defaultRetention"]
    assert retention == {"mode": "COMPLIANCE", "days": 90}
    assert bucket().of("BucketObjectLockConfiguration") == []


@cache
def resources(region: str) -> tuple[Resource, ...]:
    return tuple(
        Resource(
            one.type, one.name, one.inputs, urn=one.urn, provider={"region": region}, protect=one.protect
        )
        for one in bucket(region)
        if one.custom
    )


def stopped(subjects: tuple[Resource, ...], name: str, region: str) -> set[str]:
    return {control for control, _ in safeguards.stopped(subjects, name, region)}


@pytest.mark.parametrize("region", PARTITIONS)
@pytest.mark.parametrize("name", ["eu-resident", "eu-controlled"])
def test_no_control_stops_a_bucket(name, region):
    assert stopped(resources(region), name, region) == set()


def test_a_sovereign_profile_wants_the_key_from_outside_and_air_gapped_no_cloud():
    assert stopped(resources(BRANDENBURG), "eu-sovereign", BRANDENBURG) == {"SOV-KEY-07"}
    closed = {"SOV-KEY-07", "SOV-OPR-01", "SOV-GOV-01"}
    assert stopped(resources(BRANDENBURG), "air-gapped", BRANDENBURG) == closed, "owner and class are tags"


def _algorithm(props: dict[str, Any]) -> None:
    props["rules"][0]["applyServerSideEncryptionByDefault"]["sseAlgorithm"] = "AES256"


SAFEGUARDS: list[tuple[str, str, Callable[[dict[str, Any]], Any] | None]] = [
    ("SOV-KEY-03", "BucketServerSideEncryptionConfiguration", None),
    ("SOV-KEY-03", "BucketServerSideEncryptionConfiguration", _algorithm),
    ("SOV-NET-13", "BucketPublicAccessBlock", None),
    ("SOV-NET-13", "BucketPublicAccessBlock", lambda props: props.update(restrictPublicBuckets=False)),
    ("SOV-KEY-06", "Key", lambda props: props.update(enableKeyRotation=False)),
    ("SOV-OPS-06", "Bucket", lambda props: props.update(forceDestroy=True)),
    ("SOV-RES-01", "Bucket", lambda props: props.update(region="us-east-1")),
]


@pytest.mark.parametrize(("control", "kind", "change"), SAFEGUARDS)
def test_without_a_safeguard_its_control_stops_the_bucket(control, kind, change):
    assert control in stopped(changed(resources(FRANKFURT), kind, change), "eu-controlled", FRANKFURT)


def test_a_bucket_that_may_go_with_the_stack_is_stopped():
    subjects = tuple(replace(one, protect=False) for one in resources(FRANKFURT))
    assert "SOV-OPS-06" in stopped(subjects, "eu-controlled", FRANKFURT)


def test_a_setting_goes_no_sooner_than_the_bucket():
    settings = [one for one in bucket(locked=True) if one.kind.startswith("Bucket")]
    assert len(settings) == 8 and all(one.protect for one in settings)


@pytest.mark.parametrize("region", PARTITIONS)
def test_s3_takes_the_settings_and_keeps_them(region):
    graph = bucket(region, locked=True)
    with mock.patch.dict(os.environ, {"AWS_CONFIG_FILE": os.devnull}), moto.mock_aws():
        session = boto3.session.Session("testing", "testing", region_name=region)
        s3 = session.client("s3")
        name = _made(s3, graph, region)
        (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
        lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
        retention = lock["Rule"]["DefaultRetention"]
        assert (retention["Mode"], retention["Days"]) == ("COMPLIANCE", 90)
        version = s3.put_object(Bucket=name, Key="qwen/model.safetensors", Body=b"weights")["VersionId"]
        with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=name, Key="qwen/model.safetensors", VersionId=version)
        # Last: moto reads no conditions, and takes a refusal without TLS for one of everything.
        s3.put_bucket_policy(Bucket=name, Policy=graph.one("BucketPolicy").inputs["policy"])
        (refusal,) = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
        assert refusal["Effect"] == "Deny"
        assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert all(one.split(":")[1] == PARTITIONS[region] for one in refusal["Resource"])


def _upper(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _upper(item) for key, item in value.items()}
    return [_upper(item) for item in value] if isinstance(value, list) else value


def _made(s3: Any, graph: Graph, region: str) -> str:
    """Name of the bucket that S3 makes of the inputs, by the calls of AWS's provider."""
    settings = {one.kind: one.inputs for one in graph}
    name = settings["Bucket"]["bucket"]
    s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": region},
        ObjectLockEnabledForBucket=settings["Bucket"]["objectLockEnabled"],
    )
    s3.put_bucket_versioning(
        Bucket=name,
        VersioningConfiguration=_upper(settings["BucketVersioning"]["versioningConfiguration"]),
    )
    (rule,) = settings["BucketServerSideEncryptionConfiguration"]["rules"]
    default = rule["applyServerSideEncryptionByDefault"]
    encryption = {"SSEAlgorithm": default["sseAlgorithm"], "KMSMasterKeyID": default["kmsMasterKeyId"]}
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": encryption,
                    "BucketKeyEnabled": rule["bucketKeyEnabled"],
                }
            ]
        },
    )
    closed = settings["BucketPublicAccessBlock"]
    four = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    s3.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=_upper({key: closed[key] for key in four})
    )
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [_upper(settings["BucketOwnershipControls"]["rule"])]}
    )
    (leftovers,) = settings["BucketLifecycleConfiguration"]["rules"]
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [
                {**{"ID": leftovers["id"]}, **_upper({k: v for k, v in leftovers.items() if k != "id"})}
            ]
        },
    )
    s3.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": _upper(settings["BucketObjectLockConfiguration"]["rule"]),
        },
    )
    return name
