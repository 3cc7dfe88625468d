"""No key of an identity lives for ever."""

from collections.abc import Iterator

from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_KEYS = {
    "aws:iam/accessKey:AccessKey": "an access key of AWS",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential": "a credential of AWS",
    "aws:iam/userLoginProfile:UserLoginProfile": "a password at AWS",
    "gcp:serviceaccount/key:Key": "a key of a service account",
    "gcp:storage/hmacKey:HmacKey": "an HMAC key of Cloud Storage",
}


def _lasting(subject: Resource, profile: Profile) -> Iterator[str]:
    yield f"{_KEYS[subject.type]} is valid until somebody takes it back, and lies in the state"


CONTROL = Control(
    id="SOV-OPS-03",
    title="No key of an identity lives for ever",
    severity=Severity.HIGH,
    sources=("NIS2 11", "CIS AWS 1.14"),
    remedy="Use roles: EKS Pod Identity or IRSA, workload identity, OIDC in CI.",
    rule=ResourceRule(lambda token: token in _KEYS, _lasting),
    cases=(
        *(Case(token, Verdict.BAD, Resource(token, "k", {})) for token in _KEYS),
        Case("a role", Verdict.GOOD, Resource("aws:iam/role:Role", "r", {})),
    ),
)
