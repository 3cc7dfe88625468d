"""What is archived cannot be changed."""

from collections.abc import Iterator, Sequence
from typing import Any

from corral.controls.cloud import companions
from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import true

_TRAIL = "aws:cloudtrail/trail:Trail"
_BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
_LOCKS = (
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
)
_SINK = "gcp:logging/projectSink:ProjectSink"
_SINKS = (_SINK, "gcp:logging/folderSink:FolderSink", "gcp:logging/organizationSink:OrganizationSink")
_STORED = "storage.googleapis.com/"
_GCS = "gcp:storage/bucket:Bucket"
_LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"


def _fixed(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if subject.type == _LOG_BUCKET:
        if not true(subject.value("locked", False)):
            yield "`locked` is not true, so the logs' period can be shortened"
    elif subject.type == _TRAIL:
        for bucket in _named(subject, "s3BucketName", others, _BUCKETS):
            if not any(_compliant(one) for one in (bucket, *companions(bucket, others, _LOCKS))):
                yield f"bucket {bucket.name}, which has the trail, has no object lock in mode COMPLIANCE"
    else:
        for bucket in _named(subject, "destination", others, (_GCS,)):
            if not true(bucket.value("retentionPolicy.isLocked", False)):
                yield f"bucket {bucket.name}, which has the logs, has no `retentionPolicy` that is locked"


def _named(
    subject: Resource, path: str, others: Sequence[Resource], kinds: Sequence[str]
) -> Iterator[Resource]:
    """Buckets of the stack that `subject` writes to."""
    for other in others:
        if other.type not in kinds:
            continue
        name = other.props.get("bucket") or other.props.get("name")
        stated: Any = subject.props.get(path)
        same = isinstance(stated, str) and isinstance(name, str) and stated.removeprefix(_STORED) == name
        if same or (other.urn and other.urn in subject.refers.get(path, ())):
            yield other


def _compliant(resource: Resource) -> bool:
    modes = [
        *resource.values("rule.defaultRetention.mode"),
        *resource.values("objectLockConfiguration.rule.defaultRetention.mode"),
    ]
    return "COMPLIANCE" in modes


def _trail(name: object = "logs") -> Resource:
    return Resource(_TRAIL, "t", {"s3BucketName": name}, refers={"s3BucketName": ["urn:logs"]})


def _lock(mode: str) -> Resource:
    props = {"bucket": "logs", "rule": {"defaultRetention": {"mode": mode, "days": 365}}}
    return Resource(_LOCKS[0], "l", props)


def _sink(name: object = f"{_STORED}logs") -> Resource:
    return Resource(_SINK, "s", {"destination": name})


def _archive(**retention: object) -> Resource:
    return Resource(_GCS, "logs", {"name": "logs", "retentionPolicy": retention})


_LOGS = Resource(_BUCKETS[0], "logs", {"bucket": "logs"}, urn="urn:logs")

CONTROL = Control(
    id="SOV-AUD-03",
    title="What is archived of logs cannot be changed",
    severity=Severity.HIGH,
    sources=("C5 OPS-12", "DORA RTS 12"),
    remedy="AWS: an object lock in mode COMPLIANCE on the trail's bucket; Google: a locked retention.",
    rule=StackRule(lambda token: token in (_TRAIL, *_SINKS, _LOG_BUCKET), _fixed),
    cases=(
        Case("a trail into a locked bucket", Verdict.GOOD, _trail(), (_LOGS, _lock("COMPLIANCE"))),
        Case("a trail into a bucket", Verdict.BAD, _trail(), (_LOGS,)),
        Case("a lock that some can open", Verdict.BAD, _trail(), (_LOGS, _lock("GOVERNANCE"))),
        Case("a bucket of which the name is not known yet", Verdict.BAD, _trail(UNKNOWN), (_LOGS,)),
        Case("a bucket of another stack", Verdict.GOOD, Resource(_TRAIL, "t", {"s3BucketName": "far"})),
        Case(
            "Google, locked",
            Verdict.GOOD,
            _sink(),
            (_archive(isLocked=True, retentionPeriod="31536000"),),
        ),
        Case("Google, kept but not locked", Verdict.BAD, _sink(), (_archive(retentionPeriod="31536000"),)),
        Case("Google, not known yet", Verdict.UNDECIDED, _sink(), (_archive(isLocked=UNKNOWN),)),
        Case("a locked bucket of logs", Verdict.GOOD, Resource(_LOG_BUCKET, "b", {"locked": True})),
        Case("a bucket of logs", Verdict.BAD, Resource(_LOG_BUCKET, "b", {})),
    ),
)
