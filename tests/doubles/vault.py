"""A double of a Vault on the loopback interface: login by Kubernetes tokens, and reading of KV version 2.

What a token may read is one prefix, that of its role. Who a token of Kubernetes belongs to is asked of the
cluster, as Vault does.
"""

import json
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.servers import Handler, listening

TOKEN = "X-Vault-Token"
LEASE_SECONDS = 3600


@dataclass(frozen=True)
class Role:
    """A role of the Kubernetes authentication."""

    account: str
    """The one who may have it, as `system:serviceaccount:NAMESPACE:NAME`."""
    prefix: str
    """What may be read with it: entries whose names begin so."""


@dataclass
class Vault:
    """Its entries and roles; `who`: the user that a token of Kubernetes belongs to, None for none."""

    who: Callable[[str], str | None]
    roles: dict[str, Role] = field(default_factory=dict[str, Role])
    entries: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Fields by name of the entry, in the engine `secret`."""
    address: str = ""
    refused: list[str] = field(default_factory=list[str])
    """Why logins were refused."""
    _tokens: dict[str, Role] = field(default_factory=dict[str, Role])

    @property
    def open_tokens(self) -> int:
        """Tokens that were given and not revoked."""
        return len(self._tokens)

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and document."""
        if path == "auth/kubernetes/login" and method in ("POST", "PUT"):
            return self._login(body)
        role = self._tokens.get(token)
        if role is None:
            return 403, {"errors": ["permission denied"]}
        if path == "auth/token/lookup-self":
            return 200, {"data": {"ttl": LEASE_SECONDS, "type": "service", "expire_time": None}}
        if path == "auth/token/revoke-self":
            del self._tokens[token]
            return 204, None
        mount, _, name = path.partition("/data/")
        if method != "GET" or mount != "secret":
            return 404, {"errors": [f"no handler for route {path!r}"]}
        if not name.startswith(role.prefix):
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        if name not in self.entries:
            return 404, {"errors": []}
        return 200, {"data": {"data": self.entries[name], "metadata": {"version": 1, "destroyed": False}}}

    def _login(self, body: dict[str, Any]) -> tuple[int, Any]:
        role = self.roles.get(str(body.get("role")))
        if role is None:
            self.refused.append(f"invalid role name {body.get('role')!r}")
            return 400, {"errors": [self.refused[-1]]}
        user = self.who(str(body.get("jwt")))
        if user != role.account:
            self.refused.append(f"{user} is not {role.account}")
            return 403, {"errors": ["permission denied"]}
        made = f"hvs.{secrets.token_hex(12)}"
        self._tokens[made] = role
        return 200, {"auth": {"client_token": made, "lease_duration": LEASE_SECONDS, "renewable": True}}


@contextmanager
def serving(vault: Vault) -> Generator[Vault]:
    """`vault` at its address."""

    class Door(Handler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            path = self.path.removeprefix("/v1/").partition("?")[0]
            status, document = vault.answer(self.command, path, self.headers.get(TOKEN, ""), body)
            text = b"" if document is None else json.dumps(document).encode()
            self.answer(status, text, {"Content-Type": "application/json"})

        do_POST = do_PUT = do_GET

    with listening(Door) as address:
        vault.address = f"http://{address}"
        yield vault
