"""Whether an identity's policy reads every secret, or decrypts with every key."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN, Undecided
from corral.controls.properties import statements

_NAME = "q9zX4kW7-jH2vB8-Yt5rLm"
"""End of an ARN that no pattern for certain names matches."""
_KEY = "key/7c1d9e52-4b3a-4f86-a0d7-95e2c6b81f34"
_READS: Mapping[str, tuple[str, str]] = {
    "secretsmanager:getsecretvalue": ("reads every secret", f"secretsmanager|secret:{_NAME}"),
    "secretsmanager:putresourcepolicy": ("opens every secret", f"secretsmanager|secret:{_NAME}"),
    "ssm:getparameter": ("reads every parameter, secure ones too", f"ssm|parameter/{_NAME}"),
    "ssm:getparameters": ("reads every parameter, secure ones too", f"ssm|parameter/{_NAME}"),
    "ssm:getparametersbypath": ("reads every parameter, secure ones too", f"ssm|parameter/{_NAME}"),
    "ssm:getparameterhistory": ("reads every parameter, secure ones too", f"ssm|parameter/{_NAME}"),
    "kms:decrypt": ("decrypts with every key", f"kms|{_KEY}"),
    "kms:reencryptfrom": ("decrypts with every key", f"kms|{_KEY}"),
    "kms:creategrant": ("grants every key", f"kms|{_KEY}"),
    "kms:putkeypolicy": ("opens every key", f"kms|{_KEY}"),
}
"""Action -> what it is on everything, and service and end of the ARN of one of its resources.

`secretsmanager:BatchGetSecretValue` gives nothing by itself: it takes the other for each secret.
"""
_NARROWING = (
    "aws:calledvia",
    "aws:resourcetag/",
    "kms:encryptioncontext",
    "kms:requestalias",
    "kms:resourcealiases",
    "kms:viaservice",
    "secretsmanager:resourcetag/",
    "secretsmanager:secretid",
    "ssm:resourcetag/",
)
"""Beginnings of keys of conditions that say which secret, or which key."""
READERS = (
    "/AIDevOpsAgentActionsPolicy",
    "/AWSMcpServiceActionsFullAccess",
    "/AWSSecretsManagerClientReadOnlyAccess",
    "/AgentRegistryFullAccess",
    "/AmazonCognitoUnAuthedIdentitiesSessionPolicy",
    "/SecretsManagerReadWrite",
    "/SystemAdministrator",
)
"""Ends of the ARNs of AWS's own policies that read every secret or decrypt with every key; not those that
read parameters, which agents on nodes do."""
_FOR_SERVICES = "kms:grantisforawsresource"
_ROLES: Mapping[str, str] = {
    "roles/cloudkms.admin": "opens every key",
    "roles/cloudkms.cryptoKeyDecrypter": "decrypts with every key",
    "roles/cloudkms.cryptoKeyDecrypterViaDelegation": "decrypts with every key",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": "decrypts with every key",
    "roles/cloudkms.cryptoKeyEncrypterDecrypterViaDelegation": "decrypts with every key",
    "roles/cloudkms.cryptoOperator": "decrypts with every key",
    "roles/secretmanager.admin": "reads every secret",
    "roles/secretmanager.secretAccessor": "reads every secret",
}
"""What Google's roles are where they are granted on a project, a folder or an organisation."""


def by_role(role: Any, condition: Any) -> str | None:
    """What an identity with Google's `role` on a whole project does; None: no such thing.

    A condition on names of resources keeps it to these.
    """
    expression = (
        cast(Mapping[str, Any], condition).get("expression") if isinstance(condition, Mapping) else ""
    )
    return None if "resource.name" in str(expression) else _ROLES.get(str(role))


def by_document(document: Mapping[str, Any]) -> Iterator[str]:
    """What an identity with the policy `document` does with every secret, or every key; each once.

    Raises:
        Undecided: an action or a resource is not known yet, and nothing that is known does so.
    """
    several = list(statements(document))
    allowed, denied = ([one for one in several if _effect(one) == word] for word in ("Allow", "Deny"))
    said: dict[str, None] = {}
    for action, (words, probe) in _READS.items():
        if any(_covers(one, action, probe) and not _narrowed(one, action) for one in allowed) and not any(
            _takes_away(one, action, probe) for one in denied
        ):
            said[words] = None
    yield from said
    if not said and any(_unknown(one) for one in allowed):
        raise Undecided("a statement of the policy is not known yet")


def _effect(statement: Mapping[str, Any]) -> str:
    return str(statement.get("Effect", statement.get("effect", "Allow")))


def _listed(statement: Mapping[str, Any], *keys: str) -> list[Any] | None:
    for key in keys:
        if key in statement and statement[key] is not None:
            value = statement[key]
            return cast(list[Any], value) if isinstance(value, list) else [value]
    return None


def _unknown(statement: Mapping[str, Any]) -> bool:
    listed = (_listed(statement, key) for key in ("Action", "actions", "Resource", "resources"))
    return any(value is UNKNOWN for several in listed for value in several or ())


_SIGN = re.compile(r"(\$\{[^}]*\}|\*|\?)")
"""What stands for several values in a pattern of IAM."""


def _like(pattern: Any, text: str) -> bool:
    """Whether `text` matches a pattern of IAM; a variable in it stands for one value."""
    if not _SIGN.search(str(pattern)):
        return str(pattern) == text
    parts = _SIGN.split(str(pattern))
    signs = {"*": ".*", "?": "."}
    return re.fullmatch("".join(signs.get(one, re.escape(one)) for one in parts), text, re.S) is not None


def _covers(statement: Mapping[str, Any], action: str, probe: str) -> bool:
    """Whether a statement is about `action` on a resource that it does not name."""
    actions, others = _listed(statement, "Action", "actions"), _listed(statement, "NotAction", "notActions")
    if actions is not None:
        about = any(_like(str(one).lower(), action) for one in actions if one is not UNKNOWN)
    else:
        about = others is not None and not any(_like(str(one).lower(), action) for one in others)
    return about and _everywhere(statement, probe)


def _everywhere(statement: Mapping[str, Any], probe: str) -> bool:
    resources = _listed(statement, "Resource", "resources")
    if resources is not None:
        return any(_matches(one, probe) for one in resources if one is not UNKNOWN)
    others = _listed(statement, "NotResource", "notResources")
    return others is not None and not any(one is UNKNOWN or _matches(one, probe) for one in others)


def _matches(pattern: Any, probe: str) -> bool:
    """Whether a pattern of ARNs takes a resource of any name, in the places that it states."""
    service, _, end = probe.partition("|")
    stated = dict(enumerate(str(pattern).split(":")))
    defaults = ("aws", service, "eu-central-1", "123456789012")
    places = [
        default if _is_pattern(part := stated.get(index, "*")) or index == 2 else part
        for index, default in enumerate(defaults, 1)
    ]
    return _like(pattern, ":".join(("arn", *places, end)))


def _is_pattern(part: str) -> bool:
    return any(sign in part for sign in "*?") or not part


def _takes_away(statement: Mapping[str, Any], action: str, probe: str) -> bool:
    """Whether a denying statement leaves at most named secrets or keys."""
    conditions = list(_conditions(statement))
    kept = all("not" in operator and key.startswith(_NARROWING) for operator, key, _ in conditions)
    return kept and _covers(statement, action, probe)


def _narrowed(statement: Mapping[str, Any], action: str) -> bool:
    """Whether a condition keeps a statement to some secrets or keys."""
    for operator, key, values in _conditions(statement):
        if operator == "null" and key.startswith(_NARROWING) and str(values[0]).lower() == "false":
            return True
        if (
            "not" in operator
            or operator.startswith(("null", "forallvalues"))
            or operator.endswith("ifexists")
        ):
            continue
        if key.startswith(_NARROWING) and values and all(_says_which(key, one) for one in values):
            return True
        if key == _FOR_SERVICES and action == "kms:creategrant" and str(values[0]).lower() == "true":
            return True
    return False


def _says_which(key: str, value: Any) -> bool:
    """Whether a value is no pattern that takes all; a tag must be there for any pattern of its value."""
    if "tag/" in key:
        return True
    text = str(value).partition(".")[0] if key == "kms:viaservice" else str(value)
    return bool(re.sub(r"[*?]|^alias/", "", text))


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Operator and key in lower case, and values, of each condition."""
    stated: Any = statement.get("Condition") or statement.get("conditions")
    if isinstance(stated, list):
        for one in cast(list[Any], stated):
            if isinstance(one, Mapping):
                fields = cast(Mapping[str, Any], one)
                yield (
                    str(fields.get("test")).lower(),
                    str(fields.get("variable")).lower(),
                    _all(fields.get("values")),
                )
    elif isinstance(stated, Mapping):
        for operator, keys in cast(Mapping[str, Any], stated).items():
            if isinstance(keys, Mapping):
                for key, value in cast(Mapping[str, Any], keys).items():
                    yield str(operator).lower(), str(key).lower(), _all(value)


def _all(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [value]
