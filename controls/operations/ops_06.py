"""What cannot be made again is not deleted by accident."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import true

_SWITCHES = {
    "aws:dynamodb/table:Table": "deletionProtectionEnabled",
    "aws:docdb/cluster:Cluster": "deletionProtection",
    "aws:eks/cluster:Cluster": "deletionProtection",
    "aws:kms/key:Key": None,
    "aws:neptune/cluster:Cluster": "deletionProtection",
    "aws:rds/cluster:Cluster": "deletionProtection",
    "aws:rds/instance:Instance": "deletionProtection",
    "aws:s3/bucket:Bucket": None,
    "aws:s3/bucketV2:BucketV2": None,
    "gcp:alloydb/cluster:Cluster": "deletionProtection",
    "gcp:container/cluster:Cluster": "deletionProtection",
    "gcp:filestore/instance:Instance": "deletionProtectionEnabled",
    "gcp:kms/cryptoKey:CryptoKey": None,
    "gcp:spanner/database:Database": "deletionProtection",
    "gcp:sql/databaseInstance:DatabaseInstance": "deletionProtection",
    "gcp:storage/bucket:Bucket": None,
}
"""The provider's own protection, by type; None: it has none that can be switched."""
_BY_DEFAULT = ("gcp:container/", "gcp:sql/", "gcp:alloydb/", "gcp:spanner/")
_EMPTIED = "forceDestroy"


def _protected(subject: Resource, profile: Profile) -> Iterator[str]:
    switch = _SWITCHES[subject.type]
    emptied = true(subject.value(_EMPTIED, False))
    if emptied:
        yield f"`{_EMPTIED}` is true, so what is in it goes, too"
    if subject.protect:
        return
    on = switch is not None and true(subject.value(switch, subject.type.startswith(_BY_DEFAULT)))
    if not on:
        yield "it is protected neither by `protect` nor by " + (f"`{switch}`" if switch else "the provider")


_TABLE = "aws:dynamodb/table:Table"

CONTROL = Control(
    id="SOV-OPS-06",
    title="Clusters, keys, buckets and databases are protected from deletion",
    severity=Severity.HIGH,
    sources=("DORA 11", "C5 OPS"),
    remedy="Set `protect` in the resource's options, and the provider's own protection.",
    rule=ResourceRule(lambda token: token in _SWITCHES, _protected),
    cases=(
        Case(
            "protected by the provider",
            Verdict.GOOD,
            Resource(_TABLE, "t", {"deletionProtectionEnabled": True}),
        ),
        Case("protected by the engine", Verdict.GOOD, Resource(_TABLE, "t", {}, protect=True)),
        Case("not protected", Verdict.BAD, Resource(_TABLE, "t", {})),
        Case(
            "a bucket that is emptied first",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {"forceDestroy": True}, protect=True),
        ),
        Case(
            "a cluster, by Google's default", Verdict.GOOD, Resource("gcp:container/cluster:Cluster", "c", {})
        ),
        Case(
            "a cluster that may go",
            Verdict.BAD,
            Resource("gcp:container/cluster:Cluster", "c", {"deletionProtection": False}),
        ),
        Case(
            "not known yet", Verdict.UNDECIDED, Resource(_TABLE, "t", {"deletionProtectionEnabled": UNKNOWN})
        ),
    ),
)
