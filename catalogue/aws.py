"""Partitions of AWS: what the ARNs and names of services of a region begin with."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from corral.catalogue._read import Entry, Source, read


class Partition(Entry):
    """One partition, with accounts, ARNs and endpoints of its own."""

    regions: str
    """Pattern of its regions' names."""
    dns_suffix: str
    """What its endpoints end with."""

    @property
    def reverse_suffix(self) -> str:
        """What names of services of a VPC's endpoints begin with: `com.amazonaws`, `eu.amazonaws`."""
        return ".".join(reversed(self.dns_suffix.split(".")))


class _Partitions(Entry):
    source: Source
    partitions: dict[str, Partition]


@cache
def partitions() -> Mapping[str, Partition]:
    """All partitions by name, such as `aws-eusc`."""
    return read("aws.yaml", _Partitions).partitions


def partition_of(region: str) -> str | None:
    """Name of the partition that `region` is in; None: of none in the catalogue.

    >>> partition_of("eusc-de-east-1"), partition_of("cn-north-1")
    ('aws-eusc', None)
    """
    known = partitions().items()
    return next((name for name, one in known if re.fullmatch(one.regions, region)), None)


def tls_only(bucket: str) -> dict[str, Any]:
    """Statement that refuses calls without TLS of the bucket with this ARN."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
