"""Keys rotate, and cannot vanish in a hurry."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import Table, limited, missing, needed, true

_AWS = "aws:kms/key:Key"
_GOOGLE = "gcp:kms/cryptoKey:CryptoKey"
_DAYS = 30
_SECONDS_OF_DAY = 86_400
_YEAR = 365
_SHORT = f"leaves less than {_DAYS} days to call a deletion back"


def _seconds(value: object) -> float:
    text = str(value).removesuffix("s")
    return float(text) if text.replace(".", "", 1).isdigit() else 0


def _long(value: object) -> bool:
    return str(value).isdigit() and int(str(value)) >= _DAYS


_TABLE: Table = {
    _AWS: (limited("deletionWindowInDays", _long, _SHORT),),
    "aws:kms/externalKey:ExternalKey": (limited("deletionWindowInDays", _long, _SHORT),),
    "aws:kms/replicaKey:ReplicaKey": (limited("deletionWindowInDays", _long, _SHORT),),
    _GOOGLE: (
        limited("destroyScheduledDuration", lambda one: _seconds(one) >= _DAYS * _SECONDS_OF_DAY, _SHORT),
    ),
}
_TURNED = needed("enableKeyRotation", true, "is not true, so the key never rotates")
_PERIOD = needed(
    "rotationPeriod", lambda one: 0 < _seconds(one) <= _YEAR * _SECONDS_OF_DAY, "is not a year or less"
)


def _rotates(subject: Resource) -> bool:
    """Whether the provider can rotate the key: a symmetric one of its own."""
    if subject.type == _AWS:
        spec = subject.value("customerMasterKeySpec", "SYMMETRIC_DEFAULT")
        return spec == "SYMMETRIC_DEFAULT" and not subject.value("customKeyStoreId")
    outside = subject.value("versionTemplate.protectionLevel", "SOFTWARE") in ("EXTERNAL", "EXTERNAL_VPC")
    symmetric = subject.value("purpose", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT"
    return subject.type == _GOOGLE and symmetric and not outside


def _kept(subject: Resource, profile: Profile) -> Iterator[str]:
    rotation = (_TURNED if subject.type == _AWS else _PERIOD,) if _rotates(subject) else ()
    yield from missing((*_TABLE[subject.type], *rotation), subject)


CONTROL = Control(
    id="SOV-KEY-06",
    title="Keys rotate, and a deletion can be called back for 30 days",
    severity=Severity.HIGH,
    sources=("DORA RTS 7", "CIS AWS 3.6"),
    remedy="AWS: `enableKeyRotation: true`; Google: `rotationPeriod`; deletion after 30 days, not less.",
    rule=ResourceRule(lambda token: token in _TABLE, _kept),
    cases=(
        Case("rotating", Verdict.GOOD, Resource(_AWS, "k", {"enableKeyRotation": True})),
        Case("not rotating", Verdict.BAD, Resource(_AWS, "k", {})),
        Case(
            "gone in a week",
            Verdict.BAD,
            Resource(_AWS, "k", {"enableKeyRotation": True, "deletionWindowInDays": 7}),
        ),
        Case("for signatures", Verdict.GOOD, Resource(_AWS, "k", {"customerMasterKeySpec": "RSA_2048"})),
        Case(
            "in a store of the customer's", Verdict.GOOD, Resource(_AWS, "k", {"customKeyStoreId": "cks-1"})
        ),
        Case("not known yet", Verdict.UNDECIDED, Resource(_AWS, "k", {"enableKeyRotation": UNKNOWN})),
        Case("Google, rotating", Verdict.GOOD, Resource(_GOOGLE, "k", {"rotationPeriod": "7776000s"})),
        Case("Google, not rotating", Verdict.BAD, Resource(_GOOGLE, "k", {})),
        Case(
            "Google, gone in a day",
            Verdict.BAD,
            Resource(_GOOGLE, "k", {"rotationPeriod": "7776000s", "destroyScheduledDuration": "86400s"}),
        ),
        Case(
            "Google, a key outside",
            Verdict.GOOD,
            Resource(_GOOGLE, "k", {"versionTemplate": {"protectionLevel": "EXTERNAL"}}),
        ),
    ),
)
