from functools import cache

import boto3
import pytest
from botocore.loaders import JSONFileLoader
from tests.doubles.s3 import s3_server

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "canary-secret-of-the-store",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="session", autouse=True)
def models_of_services():
    """What botocore has of services is read once, and not by each session of its own."""
    read = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _self, path: read(path))
        yield


@pytest.fixture(scope="session")
def moto_endpoint():
    with s3_server() as url:
        yield url


@pytest.fixture
def store(moto_endpoint, monkeypatch, tmp_path):
    """A client of an S3 store on loopback; the tools find the same store in their environment."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return boto3.client("s3")


@pytest.fixture
def bucket(store, request):
    """An empty bucket of this test alone."""
    name = f"b{abs(hash(request.node.nodeid)):x}"
    store.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return name
