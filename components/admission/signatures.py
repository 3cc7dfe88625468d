"""Whose signatures images must bear: Kyverno's policies that verify them."""

from typing import Any, NotRequired, TypedDict

from corral.controls.scope import Scope
from corral.controls.supply.image_policies import BILL, PROVENANCE, SCAN

_LISTS = ("containers", "initContainers", "ephemeralContainers", "volumes")
"""Lists of images of a pod: those that Kyverno extracts itself, and those of volumes."""
_VOLUMES = (
    "(object != null ? object : oldObject).spec.?volumes.orValue([])"
    ".filter(v, has(v.image)).map(v, string(v.image.reference))"
)
_TIMEOUT_SECONDS = 30
_ATTESTATIONS = {"bill": BILL, "provenance": PROVENANCE, "scan": SCAN}


class PrivateSigstore(TypedDict):
    """A Sigstore of one's own, whose certificates signers get for an identity."""

    issuer: str
    """Issuer of the identity's tokens."""
    subject: str
    """The identity."""
    mirror: str
    """URL of its repository of roots (TUF)."""
    root: str
    """The repository's first `root.json`, in base64."""


class ImageSignatures(TypedDict):
    """Whose signatures images must bear; one of those named is enough."""

    keys: NotRequired[list[str]]
    """Public keys in PEM, as cosign writes them."""
    sigstore: NotRequired[PrivateSigstore]
    """A Sigstore of one's own, for signers without keys."""
    attestations: NotRequired[bool]
    """Whether a bill of materials, provenance and a scan must be signed, too; true when omitted."""
    scan_days: NotRequired[int]
    """Most days since the scan; 30 when omitted."""
    pull_secret: NotRequired[str]
    """Secret in Kyverno's namespace by which it reads the registry."""


def attestors(trust: ImageSignatures) -> list[dict[str, Any]]:
    """Whom the policies trust: a key needs no log, and asks nothing outside the registry."""
    made: list[dict[str, Any]] = [
        {
            "name": f"key{index}",
            "cosign": {
                "key": {"data": key},
                "ctlog": {"insecureIgnoreTlog": True, "insecureIgnoreSCT": True},
            },
        }
        for index, key in enumerate(trust.get("keys", []))
    ]
    if "sigstore" in trust:
        own = trust["sigstore"]
        identity = {"issuer": own["issuer"], "subject": own["subject"]}
        tuf = {"mirror": own["mirror"], "root": {"data": own["root"]}}
        made.append({"name": "sigstore", "cosign": {"keyless": {"identities": [identity]}, "tuf": tuf}})
    return made


def signed(scope: Scope, trust: ImageSignatures, *, deny: bool) -> dict[str, Any]:
    """Spec of the ImageValidatingPolicy: every image of a pod is signed by one of those trusted."""
    spec = _shared(scope, trust, deny=deny)
    call = f"verifyImageSignatures(i, {_names(trust)}) > 0"
    return {**spec, "validations": [_validation(call, "SOV-SUP-03: no signature that is trusted")]}


def attested(scope: Scope, trust: ImageSignatures, *, deny: bool) -> dict[str, Any]:
    """Spec of the ImageValidatingPolicy: every image has the three attestations, and a scan of late."""
    days = trust.get("scan_days", 30)
    validations = [
        _validation(
            f"verifyAttestationSignatures(i, attestations.{name}, {_names(trust)}) > 0",
            f"SOV-SUP-04: no {name} of type {kind} that is signed and trusted",
        )
        for name, kind in _ATTESTATIONS.items()
    ]
    age = (
        "time.now() - timestamp(extractPayload(i, attestations.scan).predicate.metadata.scanFinishedOn) < "
        f"duration('{24 * days}h')"
    )
    validations.append(_validation(age, f"SOV-SUP-04: no scan of the last {days} days"))
    stated = [{"name": name, "intoto": {"type": kind}} for name, kind in _ATTESTATIONS.items()]
    return {**_shared(scope, trust, deny=deny), "attestations": stated, "validations": validations}


def _names(trust: ImageSignatures) -> str:
    return f"[{', '.join('attestors.' + one['name'] for one in attestors(trust))}]"


def _validation(call: str, message: str) -> dict[str, str]:
    """What holds for every image `i` of a pod; a refusal names those for which it does not."""
    lacking = " + ".join(f"images.{one}.filter(i, !({call}))" for one in _LISTS)
    return {
        "expression": " && ".join(f"images.{one}.all(i, {call})" for one in _LISTS),
        "message": message,
        "messageExpression": f"'{message}: ' + ({lacking}).join(', ')",
    }


def _shared(scope: Scope, trust: ImageSignatures, *, deny: bool) -> dict[str, Any]:
    credentials = {"credentials": {"secrets": [trust["pull_secret"]]}} if "pull_secret" in trust else {}
    return {
        "failurePolicy": "Fail",
        "validationActions": ["Deny"] if deny else ["Audit"],
        "evaluation": {"admission": {"enabled": True}, "background": {"enabled": False}},
        "autogen": {"podControllers": {"controllers": []}},
        "webhookConfiguration": {"timeoutSeconds": _TIMEOUT_SECONDS},
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["pods", "pods/ephemeralcontainers"],
                }
            ],
            "namespaceSelector": scope.selector(),
        },
        "matchImageReferences": [{"glob": "*"}],
        "images": [{"name": "volumes", "expression": _VOLUMES}],
        "validationConfigurations": {"required": True, "mutateDigest": False, "verifyDigest": False},
        "attestors": attestors(trust),
        **credentials,
    }
