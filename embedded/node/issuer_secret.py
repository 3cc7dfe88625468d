"""The Secret behind a Certificate, and whether it still holds what the Certificate asks for."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding

from corral.embedded.kube import Object
from corral.embedded.node.issuer_x509 import Authority, Issued, Request, validity
from corral.embedded.objects import at, child

ISSUED_FOR = "corral.dev/issued-for"
NOT_IN_CERTIFICATE = {"secretTemplate", "renewBefore", "renewBeforePercentage", "revisionHistoryLimit"}


@dataclass(frozen=True)
class Standing:
    """A certificate that is still good."""

    start: datetime
    end: datetime
    renewal: datetime


def fingerprint(certificate: Object, authority: Authority | None) -> str:
    """What was asked for and who signs, in one word; another word means: issue anew."""
    spec = {k: v for k, v in child(certificate, "spec").items() if k not in NOT_IN_CERTIFICATE}
    signer = authority.certificate.public_bytes(Encoding.DER) if authority else b"itself"
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode())
    digest.update(signer)
    return digest.hexdigest()


def standing(secret: Object | None, wanted: str, request: Request, now: datetime) -> Standing | None:
    """How long the Secret's certificate is good; None when a new one must be issued."""
    if secret is None or at(secret, "metadata", "annotations", ISSUED_FOR) != wanted:
        return None
    if not at(secret, "data", "ca.crt"):
        return None
    times = validity(decoded(secret, "tls.crt"), decoded(secret, "tls.key"))
    if times is None:
        return None
    found = Standing(times[0], times[1], times[1] - request.renew_before)
    return found if now < found.renewal else None


def secret_for(certificate: Object, issued: Issued, wanted: str) -> Object:
    """The `kubernetes.io/tls` Secret, annotated as cert-manager does."""
    meta, spec = certificate["metadata"], child(certificate, "spec")
    issuer, template = child(spec, "issuerRef"), child(spec, "secretTemplate")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {
            "name": spec["secretName"],
            "namespace": meta["namespace"],
            "labels": {"controller.cert-manager.io/fao": "true", **child(template, "labels")},
            "annotations": {
                "cert-manager.io/certificate-name": meta["name"],
                "cert-manager.io/issuer-name": str(issuer.get("name")),
                "cert-manager.io/issuer-kind": str(issuer.get("kind") or "Issuer"),
                "cert-manager.io/issuer-group": str(issuer.get("group") or "cert-manager.io"),
                "cert-manager.io/common-name": str(spec.get("commonName") or ""),
                "cert-manager.io/alt-names": ",".join(spec.get("dnsNames") or ()),
                "cert-manager.io/ip-sans": ",".join(spec.get("ipAddresses") or ()),
                **child(template, "annotations"),
                ISSUED_FOR: wanted,
            },
        },
        "data": {
            "tls.crt": base64.b64encode(issued.certificate).decode(),
            "tls.key": base64.b64encode(issued.key).decode(),
            "ca.crt": base64.b64encode(issued.ca).decode(),
        },
    }


def decoded(secret: Object, key: str) -> bytes:
    """A value of the Secret; empty when it has none."""
    return base64.b64decode(str(at(secret, "data", key) or ""))
