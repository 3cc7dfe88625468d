"""No security property is exempt from the program."""

import re
from collections.abc import Iterator

from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_SECURITY = (
    "encryption",
    "kms",
    "keyarn",
    "publicaccess",
    "endpointpublic",
    "endpointprivate",
    "policy",
    "acl",
    "securitycontext",
    "networkpolicy",
    "ingress",
    "egress",
    "image",
    "taint",
    "webhooks",
    "rules",
    "logging",
    "versioning",
)


_HOLDERS = frozenset(
    [
        "*",
        "spec",
        "data",
        "template",
        "jobtemplate",
        "containers",
        "initcontainers",
        "ephemeralcontainers",
        "volumes",
        "predictor",
        "transformer",
        "explainer",
        "prefill",
        "worker",
        "workerspec",
        "model",
        "values",
    ]
)
"""Last names of paths that hold security properties."""


def _ignored(resource: Resource, profile: Profile) -> Iterator[str]:
    for path in resource.ignore_changes:
        plain = re.sub(r"[^a-z.*]", "", path.lower())
        if plain.rpartition(".")[2] in _HOLDERS:
            yield f"`ignoreChanges` names {path!r}, which holds security properties"
        elif any(word in plain for word in _SECURITY):
            yield f"`ignoreChanges` names the security property {path!r}"


def _with(*paths: str) -> Resource:
    return Resource("kubernetes:apps/v1:Deployment", "d", {}, ignore_changes=paths)


CONTROL = Control(
    id="SOV-OPS-07",
    title="No security property is exempt from the program",
    severity=Severity.HIGH,
    sources=("SOV-4",),
    remedy="Take the property out of `ignoreChanges`; let the program own it.",
    rule=ResourceRule(lambda token: True, _ignored),
    cases=(
        Case("nothing ignored", Verdict.GOOD, _with()),
        Case("a count", Verdict.GOOD, _with("spec.replicas")),
        Case("an annotation", Verdict.GOOD, _with('metadata.annotations["x"]')),
        Case("everything", Verdict.BAD, _with("*")),
        Case("the whole template", Verdict.BAD, _with("spec.template")),
        Case("a container", Verdict.BAD, _with("spec.template.spec.containers[0]")),
        Case("a predictor", Verdict.BAD, _with("spec.predictor")),
        Case("values of a release", Verdict.BAD, _with("values")),
        Case("an image", Verdict.BAD, _with("spec.template.spec.containers[0].image")),
        Case("encryption", Verdict.BAD, _with("encryptionConfig")),
        Case("a public endpoint", Verdict.BAD, _with("vpcConfig.endpointPublicAccess")),
        Case("among others", Verdict.BAD, _with("tags", "serverSideEncryptionConfiguration")),
    ),
)
