"""A bucket and a key for Pulumi's state, on moto in place of AWS."""

import json

import boto3
import pytest

from corral.controls.profiles import PROFILES
from corral.controls.workspace import Workspace, findings
from corral.tools.__main__ import main

FRANKFURT = "eu-central-1"


@pytest.fixture
def aws(store, moto_endpoint, monkeypatch):
    """S3 and KMS on loopback, found as users have them found: by the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    return store, boto3.client("kms")


def made(name, region=FRANKFURT):
    return main(["backend", "aws", "--bucket", name, "--region", region])


def test_bucket_and_key_are_made_with_every_setting_and_the_commands_are_printed(aws, capsys):
    store, keys = aws
    assert made("acme-state") == 0
    key = keys.describe_key(KeyId="alias/acme-state")["KeyMetadata"]
    assert keys.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    assert store.get_bucket_location(Bucket="acme-state")["LocationConstraint"] == FRANKFURT
    assert store.get_bucket_versioning(Bucket="acme-state")["Status"] == "Enabled"
    closed = store.get_public_access_block(Bucket="acme-state")["PublicAccessBlockConfiguration"]
    assert len(closed) == 4 and all(closed.values())
    (rule,) = store.get_bucket_encryption(Bucket="acme-state")["ServerSideEncryptionConfiguration"]["Rules"]
    default = rule["ApplyServerSideEncryptionByDefault"]
    assert (default["SSEAlgorithm"], default["KMSMasterKeyID"]) == ("aws:kms", key["Arn"])
    (refusal,) = json.loads(store.get_bucket_policy(Bucket="acme-state")["Policy"])["Statement"]
    assert refusal["Effect"] == "Deny" and refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (kept,) = store.get_bucket_lifecycle_configuration(Bucket="acme-state")["Rules"]
    assert kept["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90 and "Expiration" not in kept
    said = capsys.readouterr().out
    assert "export PULUMI_BACKEND_URL='s3://acme-state?region=eu-central-1'" in said
    assert "--secrets-provider='awskms://alias/acme-state?region=eu-central-1'" in said


@pytest.mark.parametrize("profile", ["eu-resident", "eu-controlled"])
def test_profiles_take_what_is_printed(profile):
    workspace = Workspace("s3://acme-state?region=eu-central-1", "awskms://alias/acme?region=eu-central-1")
    assert not list(findings(workspace, PROFILES[profile]))


def test_a_second_run_keeps_the_key_the_states_and_a_policy_of_ones_own(aws):
    store, keys = aws
    made("kept-state")
    before = keys.describe_key(KeyId="alias/kept-state")["KeyMetadata"]["KeyId"]
    own = json.dumps({"Version": "2012-10-17", "Statement": []})
    store.put_bucket_policy(Bucket="kept-state", Policy=own)
    store.put_object(Bucket="kept-state", Key=".pulumi/meta.yaml", Body=b"version: 1")
    store.delete_public_access_block(Bucket="kept-state")
    assert made("kept-state") == 0
    assert keys.describe_key(KeyId="alias/kept-state")["KeyMetadata"]["KeyId"] == before
    assert store.get_object(Bucket="kept-state", Key=".pulumi/meta.yaml")["Body"].read() == b"version: 1"
    assert json.loads(store.get_bucket_policy(Bucket="kept-state")["Policy"]) == json.loads(own)
    assert store.get_public_access_block(Bucket="kept-state")


def refused(capsys, name, region=FRANKFURT):
    assert made(name, region) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    return said.err


def test_a_bucket_in_another_region_is_refused_before_a_key_is_made(aws, capsys):
    made("there-state")
    capsys.readouterr()
    assert "bucket there-state is in eu-central-1" in refused(capsys, "there-state", "eu-west-1")
    west = boto3.client("kms", region_name="eu-west-1").list_aliases()["Aliases"]
    assert "alias/there-state" not in {one["AliasName"] for one in west}


def test_a_region_that_is_none_is_refused(aws, capsys):
    assert "--region: mars-1 is in no partition that is known" in refused(capsys, "any-state", "mars-1")


def test_a_key_that_is_on_its_way_out_is_refused(aws, capsys):
    _, keys = aws
    made("lost-state")
    keys.schedule_key_deletion(
        KeyId=keys.describe_key(KeyId="alias/lost-state")["KeyMetadata"]["KeyId"], PendingWindowInDays=7
    )
    capsys.readouterr()
    assert "key alias/lost-state is PendingDeletion" in refused(capsys, "lost-state")


@pytest.mark.parametrize("name", ["Acme", "acme.state", "ab", "acme-", "a" * 64])
def test_a_name_that_bucket_or_alias_cannot_have_is_refused(aws, capsys, name):
    assert f"--bucket: {name} is no name that both take" in refused(capsys, name)
