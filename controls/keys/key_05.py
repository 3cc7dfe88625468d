"""Data at rest is under keys that the customer holds."""

from collections.abc import Iterator
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.keys.subjects import INHERITED, KEY_PATHS
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import Setting, customers, missing

_PARAMETER = "aws:ssm/parameter:Parameter"
"""Encrypted where its type says so."""


def _keyed(subject: Resource, profile: Profile) -> Iterator[str]:
    if any(subject.value(path) for path in INHERITED.get(subject.type, ())):
        return
    if subject.type == _PARAMETER and subject.value("type") != "SecureString":
        return
    paths = KEY_PATHS[subject.type]
    says = f"`{paths[0]}` names no key of the customer's, so the provider holds it"
    yield from missing([Setting(paths, customers, says)], subject)


def _with_key(token: str) -> Resource:
    parts = KEY_PATHS[token][0].split(".")
    props: Any = "arn:aws:kms:eu-west-1:1:key/k" if token.startswith("aws:") else "projects/p/k"
    for part in reversed(parts):
        props = {part: props}
    return Resource(token, "r", props)


CONTROL = Control(
    id="SOV-KEY-05",
    title="Registries, logs, secrets, volumes, databases and queues are under a customer's key",
    severity=Severity.HIGH,
    sources=("DORA RTS 6", "SOV-3", "GDPR 32"),
    remedy="Set the property that the message names to a key that the customer holds.",
    rule=ResourceRule(lambda token: token in KEY_PATHS, _keyed),
    cases=(
        *(
            Case(f"{token} without", Verdict.BAD, Resource(token, "r", {}))
            for token in KEY_PATHS
            if token != _PARAMETER
        ),
        Case("a parameter that is secret", Verdict.BAD, Resource(_PARAMETER, "p", {"type": "SecureString"})),
        Case("a parameter that is not", Verdict.GOOD, Resource(_PARAMETER, "p", {"type": "String"})),
        *(Case(f"{token} with", Verdict.GOOD, _with_key(token)) for token in KEY_PATHS),
        Case(
            "a key of AWS's by its alias",
            Verdict.BAD,
            Resource("aws:sqs/queue:Queue", "q", {"kmsMasterKeyId": "alias/aws/sqs"}),
        ),
        Case(
            "a replica, which has the key of its source",
            Verdict.GOOD,
            Resource("aws:rds/instance:Instance", "r", {"replicateSourceDb": "main"}),
        ),
        Case(
            "one replica of two under a key",
            Verdict.BAD,
            Resource(
                "gcp:secretmanager/secret:Secret",
                "s",
                {
                    "replication": {
                        "userManaged": {
                            "replicas": [
                                {"customerManagedEncryption": {"kmsKeyName": "k"}},
                                {"customerManagedEncryption": {"kmsKeyName": ""}},
                            ]
                        }
                    }
                },
            ),
        ),
        Case(
            "not known yet",
            Verdict.UNDECIDED,
            Resource("aws:sqs/queue:Queue", "q", {"kmsMasterKeyId": UNKNOWN}),
        ),
    ),
)
