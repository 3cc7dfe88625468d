"""What the rules about cloud resources share."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from corral.controls.control import Resource, Undecided

BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2", "gcp:storage/bucket:Bucket")
CLUSTERS = ("aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster")
CLOUDS = frozenset({"aws", "aws-native", "gcp", "eks"})
"""Packages of clouds of which the controls know regions and partitions."""
KNOWN = frozenset({"aws", "gcp", "eks"})
"""Packages of clouds of which they know the types of resources, too."""
GCP_BUCKET = "gcp:storage/bucket:Bucket"
EKS = "aws:eks/cluster:Cluster"


def is_cloud(token: str) -> bool:
    """Whether `token` is a resource of a cloud, not a provider or component."""
    return token.partition(":")[0] in CLOUDS


_MADE = re.compile(
    r"kubernetes:(?P<service>[a-z0-9-]+)\.(?:(?P<ack>services\.k8s\.aws)|(?P<cnrm>cnrm\.cloud\.google\.com)"
    r"|(?P<cloud>aws|gcp)\.(?:m\.)?(?:upbound|crossplane)\.io)/[^:]+:(?P<kind>\w+)"
)
"""Types of what operators of a cluster make in a cloud: ACK, Config Connector, Crossplane."""


@lru_cache(4096)
def _cloud_type(token: str) -> str | None:
    match = _MADE.fullmatch(token)
    if match is None:
        return None
    cloud = match["cloud"] or ("aws" if match["ack"] else "gcp")
    kind = match["kind"].removesuffix("Patch")
    return f"{cloud}:{match['service']}/{kind[0].lower()}{kind[1:]}:{kind}"


def makes_in_cloud(token: str) -> bool:
    """Whether `token` is of what an operator of the cluster makes in a cloud."""
    return _cloud_type(token) is not None


def as_made(subject: Resource) -> Resource:
    """What an operator of the cluster makes of `subject` in a cloud; itself where it is no such resource."""
    token = _cloud_type(subject.type)
    if token is None:
        return subject
    spec: Any = subject.props.get("spec")
    fields: Any = cast(Mapping[str, Any], spec).get("forProvider", spec) if isinstance(spec, Mapping) else {}
    return replace(subject, type=token, props=fields if isinstance(fields, Mapping) else {})


def companions(bucket: Resource, others: Sequence[Resource], kinds: Sequence[str]) -> list[Resource]:
    """Resources of `kinds` that belong to `bucket`: by dependency, which is known even where the name is
    not, else by the bucket's name."""
    found: list[Resource] = []
    name = bucket.props.get("bucket") or bucket.props.get("name")
    for other in others:
        if other.type not in kinds:
            continue
        if bucket.urn and bucket.urn in other.refers.get("bucket", ()):
            found.append(other)
            continue
        try:
            if isinstance(name, str) and other.value("bucket") == name:
                found.append(other)
        except Undecided:
            continue
    return found


_MAPPINGS = "blockDeviceMappings"


def stored(template: Resource) -> Resource:
    """`template` of machines less the devices that are no volumes: a machine's own disks, and gaps."""
    mappings: Any = template.props.get(_MAPPINGS)
    if not isinstance(mappings, list):
        return template
    kept = [one for one in cast(list[Any], mappings) if not _temporary(one)]
    props = {key: value for key, value in template.props.items() if key != _MAPPINGS}
    return replace(template, props={**props, _MAPPINGS: kept} if kept else props)


def _temporary(mapping: Any) -> bool:
    if not isinstance(mapping, Mapping):
        return False
    fields = cast(Mapping[str, Any], mapping)
    return not fields.get("ebs") and bool(fields.get("virtualName") or fields.get("noDevice"))
