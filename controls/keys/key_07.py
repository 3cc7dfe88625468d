"""Keys come from where the profile demands."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_AWS = "aws:kms/key:Key"
_IMPORTED = ("aws:kms/externalKey:ExternalKey", "aws:kms/replicaExternalKey:ReplicaExternalKey")
_GOOGLE = "gcp:kms/cryptoKey:CryptoKey"
_STORE = "aws:kms/customKeyStore:CustomKeyStore"
_OUTSIDE = ("EXTERNAL", "EXTERNAL_VPC")


def _origin(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.key_origin != "external":
        return
    if subject.type == _AWS:
        if not subject.value("customKeyStoreId") or not subject.value("xksKeyId"):
            yield "the key is made by the provider; `customKeyStoreId` and `xksKeyId` name one outside"
    elif subject.type in _IMPORTED:
        yield "the key is imported, so the provider has it too; a key of an external key store is outside"
    elif subject.type == _STORE:
        kind = subject.value("customKeyStoreType", "AWS_CLOUDHSM")
        if kind != "EXTERNAL_KEY_STORE":
            yield f"`customKeyStoreType` is {kind!r}, not EXTERNAL_KEY_STORE"
    else:
        level = subject.value("versionTemplate.protectionLevel", "SOFTWARE")
        if level not in _OUTSIDE:
            yield f"`versionTemplate.protectionLevel` is {level!r}, not EXTERNAL or EXTERNAL_VPC"


CONTROL = Control(
    id="SOV-KEY-07",
    title="Keys come from outside the provider where the profile demands it",
    severity=Severity.CRITICAL,
    sources=("SOV-3", "EDPB 01/2020 use case 1"),
    remedy="AWS: a key of an external key store (XKS); Google: a key of an EKM connection.",
    rule=ResourceRule(lambda token: token in (_AWS, _GOOGLE, _STORE, *_IMPORTED), _origin),
    cases=(
        Case("AWS's own key", Verdict.BAD, Resource(_AWS, "k", {}), profile="eu-sovereign"),
        Case(
            "a key of a store outside",
            Verdict.GOOD,
            Resource(_AWS, "k", {"customKeyStoreId": "cks-1", "xksKeyId": "x"}),
            profile="eu-sovereign",
        ),
        Case("a key that is imported", Verdict.BAD, Resource(_IMPORTED[0], "k", {}), profile="eu-sovereign"),
        Case("a key that is imported, where any origin does", Verdict.GOOD, Resource(_IMPORTED[0], "k", {})),
        Case(
            "a key of CloudHSM",
            Verdict.BAD,
            Resource(_AWS, "k", {"customKeyStoreId": "cks-1"}),
            profile="eu-sovereign",
        ),
        Case("a store of CloudHSM", Verdict.BAD, Resource(_STORE, "s", {}), profile="eu-sovereign"),
        Case("Google's own key", Verdict.BAD, Resource(_GOOGLE, "k", {}), profile="eu-sovereign"),
        Case(
            "a hardware module of Google's",
            Verdict.BAD,
            Resource(_GOOGLE, "k", {"versionTemplate": {"protectionLevel": "HSM"}}),
            profile="eu-sovereign",
        ),
        Case(
            "a key outside",
            Verdict.GOOD,
            Resource(_GOOGLE, "k", {"versionTemplate": {"protectionLevel": "EXTERNAL_VPC"}}),
            profile="eu-sovereign",
        ),
        Case(
            "not known yet",
            Verdict.UNDECIDED,
            Resource(_GOOGLE, "k", {"versionTemplate": UNKNOWN}),
            profile="eu-sovereign",
        ),
        Case("AWS's own key where only its place matters", Verdict.GOOD, Resource(_AWS, "k", {})),
    ),
)
