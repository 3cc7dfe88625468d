"""Signatures and attestations of images as cosign writes them with a key, in both of its formats."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tests.doubles.mirror import Mirror

SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"
SIGNED = "https://sigstore.dev/cosign/sign/v1"
"""Type of the statement that is a signature in a bundle."""


class Signer:
    """A key of cosign: ECDSA on P-256 with SHA-256."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """In PEM."""
        form = PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(Encoding.PEM, form).decode()

    @property
    def private_key(self) -> str:
        """In PEM, unencrypted."""
        form = PrivateFormat.TraditionalOpenSSL
        return self._key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()

    def sign(self, mirror: Mirror, repository: str, digest: str) -> None:
        """`cosign sign --new-bundle-format=false`."""
        reference = f"{mirror.address}/{repository}"
        payload = _json(
            {
                "critical": {
                    "identity": {"docker-reference": reference},
                    "image": {"docker-manifest-digest": digest},
                    "type": "cosign container image signature",
                },
                "optional": None,
            }
        )
        note = {"dev.cosignproject.cosign/signature": self._signature(payload)}
        mirror.put(f"{repository}:{_tag(digest)}.sig", [(SIMPLE, payload, note)])

    def attest(self, mirror: Mirror, repository: str, digest: str, predicates: Mapping[str, Any]) -> None:
        """`cosign attest --new-bundle-format=false`, once for each type of `predicates`."""
        layers = []
        for kind, one in predicates.items():
            # The signature is in the envelope; the annotation is there and empty, as cosign leaves it.
            note = {"predicateType": kind, "dev.cosignproject.cosign/signature": ""}
            layers.append((ENVELOPE, _json(self._envelope(repository, digest, kind, one)), note))
        mirror.put(f"{repository}:{_tag(digest)}.att", layers)

    def bundle(self, mirror: Mirror, repository: str, digest: str, predicates: Mapping[str, Any]) -> None:
        """`cosign sign` and `cosign attest` as they are since version 3: bundles that refer to the image."""
        for kind, one in {SIGNED: {}, **predicates}.items():
            content = {
                "mediaType": BUNDLE,
                "verificationMaterial": {"publicKey": {"hint": ""}},
                "dsseEnvelope": self._envelope(repository, digest, kind, one),
            }
            note = {"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": kind}
            mirror.refer(repository, digest, BUNDLE, _json(content), note)

    def _envelope(self, repository: str, digest: str, kind: str, predicate: Any) -> dict[str, Any]:
        subject = {"name": repository, "digest": {"sha256": digest.removeprefix("sha256:")}}
        payload = _json(
            {
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [subject],
                "predicateType": kind,
                "predicate": predicate,
            }
        )
        # Pre-authentication encoding of DSSE.
        text = f"DSSEv1 {len(IN_TOTO)} {IN_TOTO} {len(payload)} ".encode() + payload
        return {
            "payloadType": IN_TOTO,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"sig": self._signature(text)}],
        }

    def _signature(self, content: bytes) -> str:
        return base64.b64encode(self._key.sign(content, ec.ECDSA(hashes.SHA256()))).decode()


def _json(content: Any) -> bytes:
    return json.dumps(content).encode()


def _tag(digest: str) -> str:
    return digest.replace(":", "-")
