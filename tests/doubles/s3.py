"""An S3 store on loopback, and clients of any."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer


@contextmanager
def s3_server() -> Iterator[str]:
    """URL of an empty S3 server on loopback.

    Every moto server of a process keeps its buckets in the same memory, so it is emptied first.
    """
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        build_opener(ProxyHandler({})).open(
            Request(f"{url}/moto-api/reset", method="POST"), timeout=60
        ).close()
        yield url
    finally:
        server.stop()


def s3_client(
    url: str, key: str = "owner", secret: str = "owner", region: str = "eu-central-1", **retries: Any
) -> Any:
    """A client of the S3 store at `url`, past any proxy."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}, proxies={}, retries=retries or None),
    )


def create_bucket(client: Any, name: str, region: str = "eu-central-1") -> None:
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
