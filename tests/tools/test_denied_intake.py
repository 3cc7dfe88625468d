"""An intake whose key may not read: what the import says."""

import hashlib
import json
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from moto.core import set_initial_no_auth_action_count

from corral.tools.__main__ import main

CONTENT = b"GGUF"
PAGE = Path(__file__).parents[2] / "docs" / "importing.md"


@pytest.fixture
def keys(store, bucket, moto_endpoint):
    """An owner, who may do everything, and a reader, who may do nothing with objects."""
    iam = boto3.client("iam", endpoint_url=moto_endpoint)
    store.put_object(Bucket=bucket, Key="in/model.gguf", Body=CONTENT)
    made = {}
    for name, action in (("owner", "s3:*"), ("reader", "s3:ListAllMyBuckets")):
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made[name] = (key["AccessKeyId"], key["SecretAccessKey"])
    return made


def test_an_intake_without_permission_is_one_line_as_the_page_has_it(
    keys, bucket, moto_endpoint, monkeypatch, capsys
):
    for prefix, name in (("", "owner"), ("SOURCE_", "reader")):
        monkeypatch.setenv(f"{prefix}AWS_ENDPOINT_URL_S3", moto_endpoint)
        monkeypatch.setenv(f"{prefix}AWS_REGION", "eu-central-1")
        monkeypatch.setenv(f"{prefix}AWS_ACCESS_KEY_ID", keys[name][0])
        monkeypatch.setenv(f"{prefix}AWS_SECRET_ACCESS_KEY", keys[name][1])
    digest = hashlib.sha256(CONTENT).hexdigest()
    words = ["import", "--source", f"s3://{bucket}/in", "--sha256", f"model.gguf={digest}"]
    words += ["--to", f"s3://{bucket}/m", "--license", "MIT"]

    @set_initial_no_auth_action_count(0)
    def with_permissions_checked() -> int:
        return main(words)

    assert with_permissions_checked() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    line = said.removeprefix("corral: ").strip().replace(f"s3://{bucket}/in/", "s3://intake/m/")
    assert line == "s3://intake/m/model.gguf cannot be read: 403: Forbidden"
    assert line in " ".join(PAGE.read_text().split())
    owner = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    assert [one["Key"] for one in owner.list_objects_v2(Bucket=bucket)["Contents"]] == ["in/model.gguf"]
