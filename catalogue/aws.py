"""Partitions of AWS: what the ARNs and names of services of a region begin with."""

import re
from collections.abc import Iterator, Mapping
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


MOST_TAGS = 40
"""Tags that a stack may have: of the 50 of a resource (EKS API, `CreateCluster.tags`) some are the program's
and AWS's own."""


def unfit_tags(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Tags that AWS does not take, by their keys, with the reason and the way out.

    Sources: EKS API, `CreateCluster.tags`, of what is reserved; awsdocs/iam-user-guide, id_tags, of keys of
    roles, which are one in whatever letters.
    """
    first: dict[str, str] = {}
    for key, value in tags.items():
        if any(text.lower().startswith("aws:") for text in (key, value)):
            yield key, "AWS keeps keys and values with aws: for itself: use another"
        if (other := first.setdefault(key.lower(), key)) != key:
            yield key, f"is {other} in other letters, to IAM the same: leave one out"


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
