"""What holds data says who owns it, and of which class it is."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_LABELS = ("owner", "data-class")
_TYPES: Mapping[str, str] = {
    "aws:dynamodb/table:Table": "tags",
    "aws:efs/fileSystem:FileSystem": "tags",
    "aws:eks/cluster:Cluster": "tags",
    "aws:kms/key:Key": "tags",
    "aws:rds/cluster:Cluster": "tags",
    "aws:rds/instance:Instance": "tags",
    "aws:s3/bucket:Bucket": "tags",
    "aws:s3/bucketV2:BucketV2": "tags",
    "gcp:bigquery/dataset:Dataset": "labels",
    "gcp:container/cluster:Cluster": "resourceLabels",
    "gcp:filestore/instance:Instance": "labels",
    "gcp:kms/cryptoKey:CryptoKey": "labels",
    "gcp:sql/databaseInstance:DatabaseInstance": "settings.userLabels",
    "gcp:storage/bucket:Bucket": "labels",
}
"""Property with the labels, by type."""
_SHARED = ("defaultTags.tags", "defaultLabels")
"""Properties of a provider with labels for all of its resources."""


def _labelled(subject: Resource, profile: Profile) -> Iterator[str]:
    path = _TYPES[subject.type]
    provider = Resource("provider", "p", subject.provider)
    several: list[Any] = [subject.value(path, {}), *(provider.value(one, {}) for one in _SHARED)]
    names = {
        str(name).lower().rpartition(":")[2].replace("_", "-")
        for labels in several
        if isinstance(labels, Mapping)
        for name, value in cast(Mapping[str, Any], labels).items()
        if value not in (None, "")
    }
    lacking = [one for one in _LABELS if one not in names]
    if lacking:
        yield f"`{path}` lacks {', '.join(lacking)}"
    if any(
        value is UNKNOWN
        for labels in several
        if isinstance(labels, Mapping)
        for value in cast(Mapping[str, Any], labels).values()
    ):
        raise Undecided(f"a value of `{path}` is not known yet")


_BUCKET = "aws:s3/bucket:Bucket"
_BOTH = {"owner": "team-a", "data-class": "internal"}


def _bucket(tags: object, **provider: object) -> Resource:
    return Resource(_BUCKET, "b", {"tags": tags}, provider=provider)


CONTROL = Control(
    id="SOV-GOV-01",
    title="What holds data says who owns it, and of which class it is",
    severity=Severity.HIGH,
    sources=("SOV-3", "GDPR 30"),
    remedy="Give it the labels `owner` and `data-class`, or give them to the provider for all.",
    rule=ResourceRule(lambda token: token in _TYPES, _labelled),
    cases=(
        Case("both", Verdict.GOOD, _bucket(_BOTH)),
        Case("by the provider", Verdict.GOOD, _bucket({}, defaultTags={"tags": _BOTH})),
        Case("one by the provider", Verdict.GOOD, _bucket({"owner": "a"}, defaultTags={"tags": _BOTH})),
        Case("in another spelling", Verdict.GOOD, _bucket({"Owner": "a", "Data_Class": "b"})),
        Case("with a prefix", Verdict.GOOD, _bucket({"acme:owner": "a", "acme:data-class": "b"})),
        Case("none", Verdict.BAD, _bucket({})),
        Case("no class", Verdict.BAD, _bucket({"owner": "a"})),
        Case("not known yet", Verdict.UNDECIDED, _bucket(UNKNOWN)),
        Case(
            "Google",
            Verdict.GOOD,
            Resource(
                "gcp:container/cluster:Cluster", "c", {"resourceLabels": {"owner": "a", "data_class": "b"}}
            ),
        ),
    ),
)
