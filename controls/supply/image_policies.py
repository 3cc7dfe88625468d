"""Kyverno's policies that verify images: what each trusts, and what it demands of which images."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from corral.controls.control import UNKNOWN, Resource, Undecided
from corral.controls.network.hosts import PUBLIC
from corral.controls.settings import true

_API = "kubernetes:policies.kyverno.io/"
_KINDS = ("ImageValidatingPolicy", "NamespacedImageValidatingPolicy")
BILL = "https://cyclonedx.org/bom"
PROVENANCE = "https://slsa.dev/provenance/v1"
SCAN = "https://cosign.sigstore.dev/attestation/vuln/v1"
"""Types of attestations that the platform demands, as in-toto names them."""
_WORDS: Mapping[str, tuple[str, ...]] = {
    "bill of materials": ("cyclonedx", "spdx", "sbom"),
    "provenance": ("slsa", "provenance"),
    "scan": ("vuln", "scan"),
}
_LISTS = ("images.containers", "images.initContainers", "images.ephemeralContainers", "images.volumes")
_ANY = re.compile(r"\^?(?:\.\*|\.\+)?\$?|\*+")


def verifies_images(token: str) -> bool:
    """Whether `token` is a policy that verifies images, or a patch of one."""
    return token.startswith(_API) and token.rpartition(":")[2].removesuffix("Patch") in _KINDS


def expressions(policy: Resource) -> str:
    """Every expression of a policy's validations and variables, as one text without spaces.

    Raises:
        Undecided: one is not known yet.
    """
    texts = [*policy.values("spec.validations.expression"), *policy.values("spec.variables.expression")]
    if UNKNOWN in texts:
        raise Undecided("an expression of the policy is not known yet")
    text = re.sub(r"\s", "", " ; ".join(str(one) for one in texts if one is not None))
    return re.sub(r"\[['\"](\w+)['\"]\]", r".\1", text)


def distrusted(policy: Resource) -> Iterator[str]:
    """What is wrong with whom a policy trusts."""
    attestors: Any = policy.value("spec.attestors", [])
    if not attestors:
        yield "`spec.attestors` names nobody whose signature is trusted"
    unknown = False
    for one in cast(Sequence[Any], attestors):
        if not isinstance(one, Mapping):
            unknown = True
            continue
        fields = cast(Mapping[str, Any], one)
        attestor = Resource("attestor", str(fields.get("name")), fields)
        yield from (f"attestor {attestor.name} {words}" for words in _attestor(attestor))
    if unknown:
        raise Undecided("an attestor is not known yet")


def _attestor(attestor: Resource) -> Iterator[str]:
    if attestor.value("notary") is not None:
        return
    if attestor.value("cosign") is None:
        yield "has neither key nor identities"
        return
    log = attestor.value("cosign.ctlog.url", "")
    if log and is_public(log):
        yield f"asks the public log {log}"
    if attestor.value("cosign.keyless") is not None:
        mirror = attestor.value("cosign.tuf.mirror", "")
        if not mirror or is_public(mirror):
            yield "takes its roots from the public Sigstore: `tuf.mirror` is not one's own"
        elif not (attestor.value("cosign.tuf.root.data") or attestor.value("cosign.tuf.root.path")):
            yield "has no `tuf.root`, so the first answer of the mirror is trusted"
        yield from _identities(attestor.value("cosign.keyless.identities", []))
    elif attestor.value("cosign.key") is None and attestor.value("cosign.certificate") is None:
        yield "has neither key nor identities"
    elif not log and not true(attestor.value("cosign.ctlog.insecureIgnoreTlog", False)):
        yield "asks the public log, since `ctlog` names none and does not ignore it"


def _identities(identities: Any) -> Iterator[str]:
    for index, one in enumerate(cast(Sequence[Any], identities)):
        if not isinstance(one, Mapping) or UNKNOWN in cast(Mapping[str, Any], one).values():
            raise Undecided("an identity is not known yet")
        one = cast(Mapping[str, Any], one)
        for field in ("issuer", "subject"):
            exact, pattern = one.get(field), one.get(f"{field}RegExp")
            if not exact and (not pattern or _ANY.fullmatch(str(pattern))):
                yield f"takes any {field} in `identities[{index}]`"
    if not identities:
        yield "takes any identity"


def is_public(address: object) -> bool:
    """Whether an address is of a host that is public wherever it is named."""
    text = str(address)
    host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    return any(host == one or host.endswith(f".{one}") for one in PUBLIC)


def unverified(policy: Resource) -> Iterator[str]:
    """Images of a pod that a policy asks no signature of."""
    text = expressions(policy)
    if "verifyImageSignatures(" not in text:
        if "verifyAttestationSignatures(" not in text:
            yield "no validation verifies a signature"
        return
    if not re.search(r"(?:>0|>=1|>1)|!=0", text):
        yield "no validation demands that a signature was found"
    yield from (f"no validation is about {one}" for one in _LISTS[:3] if one not in text)


def attested(policy: Resource) -> frozenset[str]:
    """Which kinds of attestations a policy has verified."""
    text = expressions(policy)
    kinds: set[str] = set()
    for one in cast(Sequence[Any], policy.value("spec.attestations", [])):
        if not isinstance(one, Mapping) or not isinstance(cast(Any, one).get("name"), str):
            raise Undecided("an attestation is not known yet")
        one = cast(Mapping[str, Any], one)
        verified = re.search(
            rf"verifyAttestationSignatures\([^()]*,attestations\.{re.escape(str(one['name']))}\b", text
        )
        form = json.dumps(one).lower()
        kinds |= {kind for kind, words in _WORDS.items() if verified and any(word in form for word in words)}
    return frozenset(kinds)


def lacking(policies: Sequence[Resource]) -> list[str]:
    """Kinds of attestations that none of `policies` has verified."""
    kinds = frozenset[str]().union(*(attested(one) for one in policies))
    return [one for one in _WORDS if one not in kinds]


def ageless(policy: Resource) -> bool:
    """Whether a policy has a scan verified, and takes one of any age."""
    text = expressions(policy)
    bounded = "extractPayload(" in text and "time.now()" in text and "duration(" in text
    return "scan" in attested(policy) and not bounded
