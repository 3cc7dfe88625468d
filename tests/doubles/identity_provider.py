"""An identity provider on the loopback interface: OpenID Connect's discovery document and keys, over TLS.

A proxy under test reads the keys; tokens are made by the test, or asked for by an application with the id and
secret of its client (RFC 6749, section 4.4). Of a login there is nothing.
"""

import base64
import json
import ssl
import time
import urllib.parse
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.doubles.mirror import certificates
from tests.doubles.servers import Handler, listening

HOST = "id.localhost"
"""A name that resolvers lead to the loopback interface."""
NUMBER_BYTES = 32
"""Of a coordinate on P-256, and of each half of a signature."""
VALID_SECONDS = 600


class IdentityProvider:
    """Who signs tokens with ES256."""

    def __init__(self, port: int, authority: str) -> None:
        self.issuer = f"https://{HOST}:{port}/realms/green"
        self.authority = authority
        """In PEM, of the certificate of its keys' host."""
        self.read = 0
        """How often its keys were read."""
        self.clients: dict[str, tuple[str, str]] = {}
        """Secret, and audience of its tokens, by the id of an application."""
        self._made = 0
        self.rotate()

    @property
    def jwks(self) -> str:
        """URL of its keys."""
        return f"{self.issuer}/keys"

    @property
    def token_endpoint(self) -> str:
        """URL at which an application asks for a token."""
        return f"{self.issuer}/protocol/openid-connect/token"

    def granted(self, authorization: str, form: str) -> tuple[int, dict[str, Any]]:
        """Status and answer to a client that asks for a token."""
        if urllib.parse.parse_qs(form).get("grant_type") != ["client_credentials"]:
            return 400, {"error": "unsupported_grant_type"}
        for name, (secret, audience) in self.clients.items():
            if authorization == f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}":
                lasts = {"token_type": "Bearer", "expires_in": VALID_SECONDS}
                return 200, {"access_token": self.token(audience, sub=name), **lasts}
        return 401, {"error": "invalid_client"}

    def rotate(self) -> None:
        """Another key in the place of the one that was."""
        self._made += 1
        self._key = ec.generate_private_key(ec.SECP256R1())

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "jwks_uri": self.jwks,
            "token_endpoint": self.token_endpoint,
            "grant_types_supported": ["client_credentials"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def keys(self) -> dict[str, Any]:
        point = self._key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self._kid}
        return {"keys": [{**key, "x": _number(point.x), "y": _number(point.y)}]}

    def token(self, audience: str, **claims: Any) -> str:
        """A token for `audience`; `claims` are in the place of its own."""
        head = {"alg": "ES256", "typ": "JWT", "kid": self._kid}
        text = f"{_part(head)}.{_part(self._claims(audience) | claims)}"
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_text(r.to_bytes(NUMBER_BYTES) + s.to_bytes(NUMBER_BYTES))}"

    def unsigned(self, audience: str) -> str:
        """A token that claims to need no signature."""
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(self._claims(audience))}."

    @property
    def _kid(self) -> str:
        return f"key-{self._made}"

    def _claims(self, audience: str) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": "shop",
            "aud": audience,
            "iat": now,
            "exp": now + VALID_SECONDS,
        }


def _number(value: int) -> str:
    return _text(value.to_bytes(NUMBER_BYTES))


def _part(content: dict[str, Any]) -> str:
    return _text(json.dumps(content).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class _Realm(Handler):
    provider: IdentityProvider

    def do_GET(self) -> None:
        url = f"https://{self.headers.get('Host')}{self.path}"
        if url == f"{self.provider.issuer}/.well-known/openid-configuration":
            self._answer(self.provider.discovery())
        elif url == self.provider.jwks:
            self.provider.read += 1
            self._answer(self.provider.keys())
        else:
            self.answer(404)

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if f"https://{self.headers.get('Host')}{self.path}" != self.provider.token_endpoint:
            return self.answer(404)
        status, content = self.provider.granted(self.headers.get("Authorization", ""), form)
        return self._answer(content, status)

    def _answer(self, content: dict[str, Any], status: int = 200) -> None:
        self.answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


@contextmanager
def serving(folder: Path) -> Generator[IdentityProvider]:
    """A provider with one key; its files are in `folder`."""
    authority, certificate = certificates(folder, HOST)
    handler = type("Here", (_Realm,), {})
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with listening(handler, tls) as address:
        handler.provider = IdentityProvider(int(address.rpartition(":")[2]), authority.read_text())
        yield handler.provider
