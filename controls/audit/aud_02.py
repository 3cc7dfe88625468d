"""Logs are kept as long as the profile demands."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_BUCKETS = tuple(
    f"gcp:logging/{kind[0].lower() + kind[1:]}:{kind}"
    for kind in ("ProjectBucketConfig", "FolderBucketConfig", "OrganizationBucketConfig")
)
_STORE = "aws:cloudtrail/eventDataStore:EventDataStore"
_DEFAULT = 30
"""Days for which a bucket of Google's keeps logs where nothing is said."""


def _kept(subject: Resource, profile: Profile) -> Iterator[str]:
    if not profile.retention_days:
        return
    path = {_GROUP: "retentionInDays", _STORE: "retentionPeriod"}.get(subject.type, "retentionDays")
    days = subject.value(path, _DEFAULT if subject.type in _BUCKETS else 0)
    if subject.type == _GROUP and "retentionInDays" not in subject.props:
        yield "`retentionInDays` is absent, so logs are kept for ever and nobody has decided that: say 0"
        return
    if not str(days).isdigit() or 0 < int(str(days)) < profile.retention_days:
        yield f"`{path}` is {days}, and profile {profile.name} keeps logs for {profile.retention_days} days"


def _group(days: object) -> Resource:
    return Resource(_GROUP, "g", {"retentionInDays": days})


CONTROL = Control(
    id="SOV-AUD-02",
    title="Logs are kept as long as the profile demands",
    severity=Severity.HIGH,
    sources=("AI Act 19", "AI Act 26", "DORA RTS 12"),
    remedy="Set the period to the profile's days at least, or to 0 where logs are to be kept for ever.",
    rule=ResourceRule(lambda token: token in (_GROUP, _STORE, *_BUCKETS), _kept),
    cases=(
        Case("for a year", Verdict.GOOD, _group(365), profile="eu-controlled"),
        Case("for a week", Verdict.BAD, _group(7), profile="eu-controlled"),
        Case("for ever, and said so", Verdict.GOOD, _group(0), profile="eu-controlled"),
        Case("nothing said of a group", Verdict.BAD, Resource(_GROUP, "g", {}), profile="eu-controlled"),
        Case("not known yet", Verdict.UNDECIDED, _group(UNKNOWN), profile="eu-controlled"),
        Case("Google, nothing said", Verdict.BAD, Resource(_BUCKETS[0], "b", {}), profile="eu-controlled"),
        Case("for a week in profile open", Verdict.GOOD, _group(7), profile="open"),
    ),
)
