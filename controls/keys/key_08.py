"""No policy of a key lets strangers use it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import documents, for_everybody, statements
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
_GRANT = "aws:kms/grant:Grant"
_ACCOUNT = re.compile(r"^arn:aws[\w-]*:(?:iam|sts)::(\d{12}):|^(\d{12})$")
_OF_KEY = re.compile(r"^arn:aws[\w-]*:kms:[\w-]+:(\d{12}):")
_CALLERS = ("kms:calleraccount", "aws:principalaccount", "aws:principalarn", "aws:sourceaccount")
_LENIENT = re.compile(r"not|^null$|ifexists$")
"""Operators that hold for those who lack the key, too."""
_ORGANISATION = ("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid")


def _strangers(subject: Resource, profile: Profile) -> Iterator[str]:
    if subject.type in _AWS:
        policy = subject.value("policy", "")
        for _, document in documents(policy):
            if for_everybody(document):
                yield "`policy` lets any principal use the key"
            yield from (f"`policy` lets account {one} use the key" for one in _others(document))
        for switch in ("bypassPolicyLockoutSafetyCheck", "bypassPolicyLockoutCheck"):
            if true(subject.value(switch, False)):
                yield f"`{switch}` is true, so the key may be locked away from everybody"
        return
    if subject.type == _GRANT:
        key = _OF_KEY.match(str(subject.value("keyId", "")))
        account = _account(subject.value("granteePrincipal", ""))
        if key is not None and account not in (None, key[1]):
            yield f"account {account} is granted the key"
        return
    members = [subject.value("member"), *subject.value("members", [])]
    if any(member in _WORLD for member in members):
        yield "everybody is granted the key"


def _account(principal: object) -> str | None:
    """The account that a principal is of; None: it names none."""
    named = _ACCOUNT.match(str(principal))
    return None if named is None else named[1] or named[2]


def _others(document: Mapping[str, Any]) -> list[str]:
    """Accounts beside the key's own that may use it, outside an organisation that a condition names.

    Its own is the first that may do everything with it, else the first that is named.
    """
    allowed = [one for one in statements(document) if one.get("Effect") == "Allow"]
    in_order = [*(one for one in allowed if _administers(one)), *allowed]
    own = next((account for one in in_order for account in _accounts(one)), None)
    others = {
        account for one in allowed if not _within(one) for account in (*_accounts(one), *_conditioned(one))
    }
    return sorted(others - {own})


def _administers(statement: Mapping[str, Any]) -> bool:
    actions = statement.get("Action")
    several = cast(list[Any], actions) if isinstance(actions, list) else [actions]
    return any(str(one).lower() in ("kms:*", "*") for one in several)


def _accounts(statement: Mapping[str, Any]) -> Iterator[str]:
    principal: Any = statement.get("Principal")
    named: Any = cast(Mapping[str, Any], principal).get("AWS", ()) if isinstance(principal, Mapping) else ()
    for one in cast(list[Any], named if isinstance(named, list) else [named]):
        account = _account(one)
        if account is not None:
            yield account


def _conditioned(statement: Mapping[str, Any]) -> Iterator[str]:
    """Accounts to which a condition narrows a statement for anybody."""
    for _, key, value in _tests(statement):
        if key in _CALLERS:
            account = _account(value)
            if account is not None:
                yield account


def _tests(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Operator, key and value of what must be so for a statement to hold, whoever asks."""
    conditions: Any = statement.get("Condition")
    if not isinstance(conditions, Mapping):
        return
    for operator, keys in cast(Mapping[str, Any], conditions).items():
        if isinstance(keys, Mapping) and not _LENIENT.search(operator.lower()):
            for key, values in cast(Mapping[str, Any], keys).items():
                for value in cast(list[Any], values) if isinstance(values, list) else [values]:
                    yield operator, str(key).lower(), value


def _within(statement: Mapping[str, Any]) -> bool:
    """Whether a condition keeps a statement to an organisation."""
    named = [value for _, key, value in _tests(statement) if key in _ORGANISATION]
    return bool(named) and "*" not in named


def _shared(condition: str = "{}") -> Resource:
    root = "arn:aws:iam::123456789012:root"
    own = f'{{"Effect": "Allow", "Principal": {{"AWS": "{root}"}}, "Action": "kms:*", "Resource": "*"}}'
    other = (
        '{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:role/reader"}, '
        f'"Action": "kms:Decrypt", "Resource": "*", "Condition": {condition}}}'
    )
    return Resource(_KEY, "k", {"policy": f'{{"Statement": [{own}, {other}]}}'})


def _granted(account: str) -> Resource:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"
    return Resource(_GRANT, "g", {"keyId": key, "granteePrincipal": f"arn:aws:iam::{account}:role/r"})


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
    remedy="Name the roles that may use the key; another account's under a condition on aws:PrincipalOrgID.",
    rule=ResourceRule(lambda token: token in (*_AWS, _GRANT) or token.startswith(_GRANTS), _strangers),
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
        Case("another account", Verdict.BAD, _shared()),
        Case(
            "another account of the organisation",
            Verdict.GOOD,
            _shared('{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}'),
        ),
        Case("a grant to a role of its own account", Verdict.GOOD, _granted("123456789012")),
        Case("a grant to another account", Verdict.BAD, _granted("210987654321")),
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
