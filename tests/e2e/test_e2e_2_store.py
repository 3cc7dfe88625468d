"""Models lie in the bucket with their papers, and the store's volume shows nothing of either."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from platform_client import Platform

from corral.catalogue.models import models

pytestmark = pytest.mark.engine

PLAIN = (
    b"GGUF\x03\x00\x00\x00",
    b"general.architecture",
    b"tokenizer.ggml.tokens",
    b'"sha256"',
    b"Apache-2.0",
)
"""Bytes of the model file and of its manifest."""


ADMINISTRATOR = "Admin"


def store(platform: Platform, *, signed: bool = True):
    """The platform's bucket as its administrator sees it, or as anybody does."""
    service = platform.read("service", "model-storage", "-n", "model-storage")
    identities = json.loads(platform.secret("model-storage", "model-storage-config")["s3.json"])["identities"]
    keys = next(one["credentials"][0] for one in identities if ADMINISTRATOR in one["actions"])
    access = {"aws_access_key_id": keys["accessKey"], "aws_secret_access_key": keys["secretKey"]}
    return boto3.client(
        "s3",
        endpoint_url=f"http://{service['spec']['clusterIP']}:8333",
        region_name="embedded",
        config=Config(
            signature_version="s3v4" if signed else UNSIGNED, s3={"addressing_style": "path"}, proxies={}
        ),
        **(access if signed else {}),
    )


def manifest_key(client) -> str:
    listed = [one["Key"] for one in client.list_objects_v2(Bucket="models")["Contents"]]
    matches = [key for key in listed if key.endswith("/manifest.json")]
    assert len(matches) == 1, listed
    return matches[0]


def test_the_models_manifest_names_checksums_source_and_licence(platform):
    client = store(platform)
    manifest = json.loads(client.get_object(Bucket="models", Key=manifest_key(client))["Body"].read())
    entry = models()["smollm2-135m"]
    assert manifest["license"] == entry.license
    assert manifest["source"].startswith("package://")
    assert manifest["files"], manifest
    for file in manifest["files"].values():
        assert len(file["sha256"]) == 64 and file["size"] > 1_000_000


def test_the_bucket_is_versioned_encrypted_by_default_and_closed_to_anybody(platform):
    client, anybody = store(platform), store(platform, signed=False)
    assert client.get_bucket_versioning(Bucket="models")["Status"] == "Enabled"
    rules = client.get_bucket_encryption(Bucket="models")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    for question in (
        lambda: anybody.list_objects_v2(Bucket="models"),
        lambda: anybody.get_object(Bucket="models", Key=manifest_key(client)),
        lambda: anybody.put_object(Bucket="models", Key="theirs", Body=b"x"),
    ):
        with pytest.raises(ClientError) as refused:
            question()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_raw_volume_shows_nothing_of_the_model_or_its_manifest(platform):
    claim = platform.read("persistentvolumeclaim", "model-storage-data", "-n", "model-storage")
    spec = platform.read("persistentvolume", claim["spec"]["volumeName"])["spec"]
    volume = Path((spec.get("local") or spec.get("hostPath"))["path"])
    assert volume.is_relative_to(platform.plane.volumes)
    stored = list(files(volume))
    assert sum(path.stat().st_size for path in stored) > 90_000_000, "the model is not in this volume"
    matches = [(path.name, word) for path in stored for word in PLAIN if holds_bytes(path, word)]
    assert matches == []


def files(folder: Path) -> Iterator[Path]:
    for parent, _folders, names in os.walk(folder):
        yield from (
            path for name in names if (path := Path(parent, name)).is_file() and not path.is_symlink()
        )


def holds_bytes(path: Path, word: bytes) -> bool:
    tail = b""
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            if word in tail + block:
                return True
            tail = block[-len(word) :]
    return False
