"""No policy of a key lets strangers use it."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import documents, for_everybody
from corral.controls.settings import true

_KEY = "aws:kms/key:Key"
_AWS = (
    _KEY,
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:kms/externalKey:ExternalKey",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:kms/replicaExternalKey:ReplicaExternalKey",
)
_GRANTS = ("gcp:kms/cryptoKeyIAM", "gcp:kms/keyRingIAM")
_WORLD = ("allUsers", "allAuthenticatedUsers")


def _strangers(subject: Resource, profile: Profile) -> Iterator[str]:
    if subject.type in _AWS:
        policy = subject.value("policy", "")
        if any(for_everybody(document) for _, document in documents(policy)):
            yield "`policy` lets any principal use the key"
        for switch in ("bypassPolicyLockoutSafetyCheck", "bypassPolicyLockoutCheck"):
            if true(subject.value(switch, False)):
                yield f"`{switch}` is true, so the key may be locked away from everybody"
        return
    members = [subject.value("member"), *subject.value("members", [])]
    if any(member in _WORLD for member in members):
        yield "everybody is granted the key"


def _policy(principal: str, condition: str = "{}") -> Resource:
    statement = (
        f'{{"Effect": "Allow", "Principal": {principal}, "Action": "kms:*", "Condition": {condition}}}'
    )
    return Resource(_KEY, "k", {"policy": f'{{"Statement": [{statement}]}}'})


CONTROL = Control(
    id="SOV-KEY-08",
    title="No policy of a key lets strangers use it",
    severity=Severity.CRITICAL,
    sources=("CKV_AWS_33", "SOV-3"),
    remedy="Name the accounts and roles that may use the key.",
    rule=ResourceRule(lambda token: token in _AWS or token.startswith(_GRANTS), _strangers),
    cases=(
        Case("any principal", Verdict.BAD, _policy('"*"')),
        Case("any principal of AWS", Verdict.BAD, _policy('{"AWS": "*"}')),
        Case("the account", Verdict.GOOD, _policy('{"AWS": "arn:aws:iam::123456789012:root"}')),
        Case(
            "any principal of the organisation",
            Verdict.GOOD,
            _policy('"*"', '{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}'),
        ),
        Case(
            "any principal over TLS, which is anybody",
            Verdict.BAD,
            _policy('"*"', '{"Bool": {"aws:SecureTransport": "true"}}'),
        ),
        Case("no policy of its own", Verdict.GOOD, Resource(_KEY, "k", {})),
        Case(
            "a check that is skipped",
            Verdict.BAD,
            Resource(_KEY, "k", {"bypassPolicyLockoutSafetyCheck": True}),
        ),
        Case("not known yet", Verdict.UNDECIDED, Resource(_KEY, "k", {"policy": UNKNOWN})),
        Case(
            "Google, everybody",
            Verdict.BAD,
            Resource("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "g", {"member": "allUsers"}),
        ),
        Case(
            "Google, a service account",
            Verdict.GOOD,
            Resource("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "g", {"member": "serviceAccount:x"}),
        ),
    ),
)
