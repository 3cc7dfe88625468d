"""The provider uses no key for reasons of its own."""

from collections.abc import Iterator, Sequence

from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_KEY = "gcp:kms/cryptoKey:CryptoKey"
_DEFAULTS = tuple(
    f"gcp:kms/{kind[0].lower() + kind[1:]}:{kind}"
    for kind in ("ProjectKajPolicyConfig", "FolderKajPolicyConfig", "OrganizationKajPolicyConfig")
)
_OF_KEY = "keyAccessJustificationsPolicy.allowedAccessReasons"
_OF_DEFAULT = "defaultKeyAccessJustificationPolicy.allowedAccessReasons"
_CUSTOMERS = ("CUSTOMER_", "MODIFIED_CUSTOMER_")
"""Beginnings of reasons that the customer gives; all others are the provider's, or somebody's else."""


def _justified(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    path = _OF_KEY if subject.type == _KEY else _OF_DEFAULT
    reasons = subject.values(path)
    stated = [one for one in reasons if one is not None]
    if UNKNOWN in stated:
        raise Undecided(f"`{path}` is not known yet")
    foreign = sorted(str(one) for one in stated if not str(one).startswith(_CUSTOMERS))
    if foreign:
        yield f"`{path}` has {', '.join(foreign)}, which are the provider's own reasons"
    if not stated and not (subject.type == _KEY and any(one.type in _DEFAULTS for one in others)):
        yield f"`{path}` is absent, so the provider may use the key for any reason"


def _key(*reasons: object) -> Resource:
    policy = {"keyAccessJustificationsPolicy": {"allowedAccessReasons": list(reasons)}} if reasons else {}
    return Resource(_KEY, "k", policy)


def _default(*reasons: object) -> Resource:
    return Resource(
        _DEFAULTS[0], "d", {"defaultKeyAccessJustificationPolicy": {"allowedAccessReasons": list(reasons)}}
    )


CONTROL = Control(
    id="SOV-KEY-09",
    title="The provider uses no key for reasons of its own",
    severity=Severity.HIGH,
    sources=("SOV-3", "Google Key Access Justifications"),
    remedy="Allow CUSTOMER_INITIATED_ACCESS alone, on the key or for the project.",
    rule=StackRule(lambda token: token in (_KEY, *_DEFAULTS), _justified),
    cases=(
        Case("the customer's reasons", Verdict.GOOD, _key("CUSTOMER_INITIATED_ACCESS")),
        Case("none stated", Verdict.BAD, _key()),
        Case("none stated beside a default", Verdict.GOOD, _key(), (_default("CUSTOMER_INITIATED_ACCESS"),)),
        Case("the provider's", Verdict.BAD, _key("CUSTOMER_INITIATED_ACCESS", "GOOGLE_INITIATED_SERVICE")),
        Case("a third party's", Verdict.BAD, _key("THIRD_PARTY_DATA_REQUEST")),
        Case("the provider's by default", Verdict.BAD, _default("GOOGLE_INITIATED_SYSTEM_OPERATION")),
        Case("not known yet", Verdict.UNDECIDED, _key(UNKNOWN)),
    ),
)
