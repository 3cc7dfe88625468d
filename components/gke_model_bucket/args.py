"""Arguments of a bucket for models on Google Cloud, and what it refuses."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.formats import GCP_PROJECT, GCP_REGION
from corral.components._accounts import PodAccount, account_problems
from corral.components.gke_cluster.allowed import key_problems, label_problems


class GkeModelBucketArgs(TypedDict):
    """Where a bucket for models is, and whose pods use it."""

    project: str
    """Project of the bucket, with the API of Cloud Storage enabled."""
    region: str
    """Region, such as `europe-west3`; of several regions, or none, a bucket is not made."""
    readers: list[PodAccount]
    """Accounts of pods that read models."""
    writers: NotRequired[list[PodAccount]]
    """Accounts of pods that read and write models; none when omitted."""
    sources: NotRequired[list[str]]
    """Names of other buckets, from which the writers bring models in, and whose policy this program may
    change; none when omitted."""
    cluster_project: NotRequired[str]
    """Project of the pods' cluster; the bucket's own when omitted."""
    bucket: NotRequired[str]
    """Name of the bucket; one that nobody else has when omitted. Another one is another, empty, bucket."""
    key: NotRequired[pulumi.Input[str]]
    """Id of the key that encrypts models, which the agent of Cloud Storage may use; made when omitted."""
    key_project: NotRequired[str]
    """Project in which the key is made, best one that holds keys alone; needed where `key` is omitted."""
    retention_days: NotRequired[int]
    """Days for which no model can be deleted or replaced, not even by its owner, for ever locked. Such a
    bucket has no old versions; without, versions are kept."""
    old_version_days: NotRequired[int]
    """Days for which a version that another has replaced is kept; 30 when omitted."""
    labels: NotRequired[dict[str, str]]
    """Labels of everything that is made."""
    protect: NotRequired[bool]
    """False: bucket and key may be deleted with the stack, and with them every model in it; true when
    omitted."""


def problems(args: GkeModelBucketArgs, owner: str) -> Iterator[str]:
    """What of `args` cannot be, or does not combine."""
    for key, allowed in {
        "project": GCP_PROJECT,
        "key_project": GCP_PROJECT,
        "cluster_project": GCP_PROJECT,
        "region": GCP_REGION,
    }.items():
        value = args.get(key)
        if isinstance(value, str) and not allowed.matches(value):
            yield f"{owner}.{key}: {value!r} is not allowed; use {allowed.words}"
    if "key" not in args and "key_project" not in args:
        yield f"{owner}.key: absent, and so is key_project, in which it would be made; name one of both"
    named = args.get("key")
    if isinstance(named, str):
        yield from key_problems(named, args["region"], f"{owner}.key")
    yield from account_problems(args["readers"], args.get("writers", []), owner)
    yield from label_problems(args.get("labels", {}), f"{owner}.labels")
    for key in ("retention_days", "old_version_days"):
        days = args.get(key, 1)
        if days < 1:
            yield f"{owner}.{key}: {days!r} is not allowed; use 1 or more"
    if "retention_days" in args and "old_version_days" in args:
        yield f"{owner}.old_version_days: with retention_days there are no old versions; leave one out"
