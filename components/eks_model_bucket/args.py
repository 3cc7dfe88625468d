"""Arguments of a bucket for models, and what it refuses."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.aws import partition_of, partitions
from corral.components._accounts import PodAccount, account_problems
from corral.components.eks_cluster.allowed import tag_problems


class EksModelBucketArgs(TypedDict):
    """Where a bucket for models is, and whose pods use it."""

    region: str
    """Region of AWS, of partition `aws` or `aws-eusc`."""
    cluster: pulumi.Input[str]
    """Name of the EKS cluster, which has the add-on for Pod Identity."""
    readers: list[PodAccount]
    """Accounts of pods that read models."""
    writers: NotRequired[list[PodAccount]]
    """Accounts of pods that read and write models; none when omitted."""
    sources: NotRequired[list[pulumi.Input[str]]]
    """Names of other buckets, from which the writers bring models in; none when omitted. What is encrypted
    there by a key of KMS needs its owner's leave as well."""
    bucket: NotRequired[str]
    """Name of the bucket; one that nobody else has when omitted. Another one is another, empty, bucket."""
    key: NotRequired[pulumi.Input[str]]
    """ARN of the key of KMS that encrypts models; made when omitted."""
    lock_days: NotRequired[int]
    """Days for which no version of a model can be deleted, not even by its owner; not locked when omitted.
    Only a new bucket can have it."""
    old_version_days: NotRequired[int]
    """Days for which a version that another has replaced is kept; 30 when omitted."""
    tags: NotRequired[dict[str, str]]
    """Tags of everything that is made."""
    protect: NotRequired[bool]
    """False: bucket, its settings and key may be deleted with the stack, and with them every version of every
    model in it; true when omitted."""


def problems(args: EksModelBucketArgs, owner: str) -> Iterator[str]:
    """What of `args` cannot be, or does not combine."""
    if partition_of(args["region"]) is None:
        known = " or ".join(partitions())
        yield f"{owner}.region: {args['region']!r} is in no partition that is known; use a region of {known}"
    yield from tag_problems(args.get("tags", {}), f"{owner}.tags")
    yield from account_problems(args["readers"], args.get("writers", []), owner)
    for key in ("lock_days", "old_version_days"):
        days = args.get(key, 1)
        if days < 1:
            yield f"{owner}.{key}: {days!r} is not allowed; use 1 or more"
