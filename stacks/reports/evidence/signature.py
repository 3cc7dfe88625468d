"""Signatures: an in-toto statement about the files of a bundle, in a DSSE envelope.

https://github.com/in-toto/attestation/tree/v1.1.0/spec/v1, https://github.com/secure-systems-lab/dsse
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://corral.dev/evidence/v1"
PASSWORD = "CORRAL_EVIDENCE_KEY_PASSWORD"
"""Variable with the password of an encrypted private key."""
VARIABLE = "env://"

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey


class KeyProblem(Exception):
    """A key cannot be used; the text names its reference, never its content."""


class NotVerified(Exception):
    """A bundle is not what was signed; the text says why."""


def statement(files: Mapping[str, bytes], predicate: Mapping[str, Any]) -> bytes:
    """An in-toto statement with the SHA-256 of each file."""
    subjects = [
        {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
        for name, content in sorted(files.items())
    ]
    made = {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(predicate),
    }
    return (json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def envelope(payload: bytes, key: PrivateKey) -> bytes:
    """`payload` signed by `key`."""
    signature = {"keyid": key_id(key.public_key()), "sig": _base64(_signed(_encoded(payload), key))}
    made = {"payloadType": PAYLOAD_TYPE, "payload": _base64(payload), "signatures": [signature]}
    return (json.dumps(made, indent=2) + "\n").encode()


def opened(content: bytes, key: PublicKey) -> bytes:
    """The payload of an envelope.

    Raises:
        NotVerified: it is no envelope, or not signed by `key`.
    """
    try:
        made = cast("dict[str, Any]", json.loads(content))
        payload = base64.b64decode(made["payload"], validate=True)
        kind, signatures = str(made["payloadType"]), [str(one["sig"]) for one in made["signatures"]]
        raw = [base64.b64decode(one, validate=True) for one in signatures]
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise NotVerified("the signature is no DSSE envelope") from None
    if kind != PAYLOAD_TYPE:
        raise NotVerified(f"the envelope is of type {kind}, not {PAYLOAD_TYPE}")
    if not any(_valid(one, _encoded(payload), key) for one in raw):
        raise NotVerified("no signature is of this public key")
    return payload


def _encoded(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _signed(content: bytes, key: PrivateKey) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(content)
    return key.sign(content, ec.ECDSA(hashes.SHA256()))


def _valid(signature: bytes, content: bytes, key: PublicKey) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, content)
        else:
            key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def key_id(key: PublicKey) -> str:
    """SHA-256 of the public key as DER."""
    kind, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(kind, form)).hexdigest()


def private_key(reference: str) -> PrivateKey:
    """The private key, in PEM, that the file `reference` or the variable `env://NAME` has.

    Raises:
        KeyProblem: there is none, or one that is not taken.
    """
    content, password = _content(reference), os.environ.get(PASSWORD)
    try:
        key = serialization.load_pem_private_key(content, password.encode() if password else None)
    except TypeError:
        needed = f"it is encrypted: put its password into {PASSWORD}"
        unneeded = f"it is not encrypted: unset {PASSWORD}"
        raise KeyProblem(f"--key {reference}: {unneeded if password else needed}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem(
            f"--key {reference}: no private key in PEM, or another password: {_ALLOWED}"
        ) from None
    if isinstance(key, ed25519.Ed25519PrivateKey) or (
        isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        return key
    raise KeyProblem(f"--key {reference}: {_ALLOWED}")


def public_key(reference: str) -> PublicKey:
    """The public key, in PEM, that the file `reference` or the variable `env://NAME` has.

    Raises:
        KeyProblem: there is none, or one that is not taken.
    """
    try:
        key = serialization.load_pem_public_key(_content(reference))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem(f"--key {reference}: no public key in PEM: {_ALLOWED}") from None
    if isinstance(key, ed25519.Ed25519PublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        return key
    raise KeyProblem(f"--key {reference}: {_ALLOWED}")


_ALLOWED = "use one of Ed25519 or ECDSA P-256"


def _content(reference: str) -> bytes:
    if "-----BEGIN" in reference:
        raise KeyProblem(f"--key: it holds a key, which arguments must not: name a file, or {VARIABLE}NAME")
    if reference.startswith(VARIABLE):
        name = reference.removeprefix(VARIABLE)
        value = os.environ.get(name)
        if not value:
            raise KeyProblem(f"--key {reference}: the variable {name} is not set")
        return value.encode()
    try:
        return Path(reference).read_bytes()
    except OSError as error:
        raise KeyProblem(f"--key {reference}: {error.strerror}") from None
