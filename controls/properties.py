"""What stands anywhere in the properties of a resource: text, and documents within text."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from corral.controls.control import UNKNOWN, Resource
from corral.controls.network.world import world

FREE_TEXT = frozenset(
    {
        "annotations",
        "comment",
        "description",
        "displayName",
        "display_name",
        "labels",
        "resourceLabels",
        "tags",
        "tagsAll",
        "userLabels",
    }
)
"""Properties that name things for people; what they say moves no data."""
STATEMENTS = ("Statement", "statements")


def leaves(subject: Resource) -> Sequence[tuple[str, Any]]:
    """What `walk` gives for the inputs of a resource, walked once for all rules."""
    if "leaves" not in subject.computed:
        subject.computed["leaves"] = tuple(walk(subject.props))
    return cast(Sequence[tuple[str, Any]], subject.computed["leaves"])


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths of all leaves, also of those within JSON text, less text for people and what policies deny."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        if _denies(fields):
            return
        for key, item in fields.items():
            if str(key) not in FREE_TEXT:
                yield from walk(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            yield from walk(item, f"{path}.{index}")
    elif isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        document = parsed(value)
        if document is None:
            yield path, value
        else:
            yield from walk(document, path)
    else:
        yield path, value


def _denies(fields: Mapping[str, Any]) -> bool:
    return "Deny" in (fields.get("Effect"), fields.get("effect"))


def parsed(text: str) -> Any:
    """The document that `text` is as JSON; None: it is none."""
    try:
        document: Any = json.loads(text)
    except ValueError:
        return None
    return cast(Any, document) if isinstance(document, (dict, list)) else None


def documents(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Paths of all policy documents, as text or as properties."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        value = parsed(value)
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        if any(key in fields for key in STATEMENTS):
            yield path, fields
            return
        for key, item in fields.items():
            yield from documents(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            yield from documents(item, f"{path}.{index}")


def statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Statements of a policy document, one or several."""
    stated: Any = next((document[key] for key in STATEMENTS if key in document), ())
    several = cast(Sequence[Any], stated if isinstance(stated, (list, tuple)) else [stated])
    yield from (cast(Mapping[str, Any], one) for one in several if isinstance(one, Mapping))


def for_everybody(document: Mapping[str, Any]) -> bool:
    """Whether a statement allows any principal without a condition that narrows who."""
    return any(
        "Allow" in (one.get("Effect"), one.get("effect"))
        and (
            _anybody(one.get("Principal"))
            or _anybody_listed(one.get("principals"))
            or "NotPrincipal" in one
            or "notPrincipals" in one
        )
        and not _narrowed(one)
        for one in statements(document)
    )


SHARED_ISSUERS = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "api.pulumi.com/oidc",
    "oidc.circleci.com",
    "agent.buildkite.com",
    "api.bitbucket.org",
    "oidc.vercel.com",
    "accounts.google.com",
    "www.amazon.com",
    "graph.facebook.com",
    "cognito-identity.amazonaws.com",
)
"""Beginnings of issuers of tokens that give one to anybody."""


def for_any_token(document: Mapping[str, Any]) -> str | None:
    """The shared issuer of which a statement takes a token of anybody's; None: there is none."""
    for one in statements(document):
        if "Allow" not in (one.get("Effect"), one.get("effect")):
            continue
        principal: Any = one.get("Principal")
        named: Any = (
            cast(Mapping[str, Any], principal).get("Federated") if isinstance(principal, Mapping) else None
        )
        for issuer in (str(each).partition("oidc-provider/")[2] or str(each) for each in _listed(named)):
            if issuer.startswith(SHARED_ISSUERS) and not _names_bearer(one, issuer):
                return issuer
    return None


def _listed(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [] if value is None else [value]


def _names_bearer(statement: Mapping[str, Any], issuer: str) -> bool:
    """Whether a condition says whose tokens of `issuer` are taken, beside which audience's."""
    conditions: Any = statement.get("Condition")
    if not isinstance(conditions, Mapping):
        return False
    return any(
        key.startswith(f"{issuer}:")
        and (not key.endswith(":aud") or issuer.startswith("cognito"))
        and not any(str(one).strip("*:") in ("", "repo") for one in _listed(value))
        for operator, keys in cast(Mapping[str, Any], conditions).items()
        if isinstance(keys, Mapping) and "not" not in operator.lower() and operator.lower() != "null"
        for key, value in cast(Mapping[str, Any], keys).items()
    )


NARROWING = (
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:userid",
    "aws:username",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "sns:endpoint",
    "elasticfilesystem:accesspointarn",
    "elasticfilesystem:accessedviamounttarget",
)
"""Keys of conditions by which AWS holds a statement for any principal to be not public."""


_ALWAYS = ("aws:sourceip", "aws:vpcsourceip")
"""Those that every request has."""
_ANY_ACCOUNT = re.compile(r"arn:[^:]*(?::[^:]*(?::[^:]*(?::[^:]*\*.*)?)?)?$|arn:\*")
"""An ARN of anybody's account."""


def _narrowed(statement: Mapping[str, Any]) -> bool:
    conditions: Any = statement.get("Condition") or statement.get("conditions")
    if isinstance(conditions, list):
        narrowing = cast(list[Mapping[str, Any]], conditions)
        return any(
            _narrows(str(one.get("variable")), one.get("values"), str(one.get("test"))) for one in narrowing
        )
    if not isinstance(conditions, Mapping):
        return False
    return any(
        _narrows(key, value, operator)
        for operator, keys in cast(Mapping[str, Any], conditions).items()
        if isinstance(keys, Mapping)
        for key, value in cast(Mapping[str, Any], keys).items()
    )


def _narrows(key: str, value: Any, operator: str) -> bool:
    values = cast(list[Any], value if isinstance(value, list) else [value])
    if "not" in operator.lower() or operator.lower() == "null":
        return False
    absent = operator.lower().endswith("ifexists") or operator.lower().startswith("forallvalues:")
    if absent and key.lower() not in _ALWAYS:
        return False
    return key.lower() in NARROWING and not any(world(one) or _ANY_ACCOUNT.match(str(one)) for one in values)


def _anybody(principal: Any) -> bool:
    if isinstance(principal, Mapping):
        holders = cast(Mapping[str, Any], principal)
        return any(_anybody(one) for kind, one in holders.items() if kind in ("AWS", "*", "CanonicalUser"))
    several = cast(list[Any], principal if isinstance(principal, list) else [principal])
    return any(one in ("*", "arn:aws:iam::*:root") for one in several)


def _anybody_listed(principals: Any) -> bool:
    several = cast(list[Any], principals if isinstance(principals, list) else [principals])
    return any(
        isinstance(one, Mapping)
        and "*" in cast(Mapping[str, Any], one).get("identifiers", ())
        and cast(Mapping[str, Any], one).get("type") in ("AWS", "*", None)
        for one in several
    )


def unknown(value: Any) -> bool:
    """Whether a value is one that is not known yet."""
    return value is UNKNOWN
