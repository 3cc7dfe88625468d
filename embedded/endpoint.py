"""The gateway of a plane, as an application calls it: by its name, its authority and a key."""

import base64
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from corral.catalogue.addons import descriptor
from corral.catalogue.gateway import GATEWAY, NO_CALLER, NO_KEY, PROXY, TLS_SECRET, keys_secret, tenant_path
from corral.catalogue.vocabulary import TENANT_LABEL, Addon
from corral.embedded.kube import CONTENT_TYPES, Object, resource
from corral.embedded.objects import at, children, is_true

SPACE = descriptor(Addon.ENVOY_GATEWAY).namespace
CALLER = "corral-chat"
"""Caller of the plane's own questions, whose key is made with the first of them."""
KEY_BYTES = 32
"""Random bytes of a key."""
SINCE = "corral.dev/key-since."
"""Beginning of the annotation with the day on which a key was made; the caller's name follows."""

Send = Callable[[str, str, Any], httpx.Response]
"""Method, path and body of a request to the API server."""


@dataclass(frozen=True)
class Endpoint:
    """Where the models of one tenant are called."""

    host: str
    port: int
    address: str
    path: str
    key: str
    trusted: ssl.SSLContext

    @property
    def url(self) -> str:
        """Base URL, as an application has it."""
        return f"https://{self.host}:{self.port}{self.path}"

    def client(self, seconds: float) -> httpx.Client:
        """A client whose paths are below the base URL; nothing is looked up by name."""
        return httpx.Client(
            base_url=f"https://{self.address}:{self.port}{self.path}",
            headers={"Host": f"{self.host}:{self.port}", "Authorization": f"Bearer {self.key}"},
            verify=self.trusted,
            trust_env=False,
            timeout=httpx.Timeout(10, read=seconds),
        )


def endpoint_of(send: Send, service: Object) -> Endpoint | None:
    """The endpoint that leads to an InferenceService; None: there is none that keys open."""
    tenant = at(service, "metadata", "labels", TENANT_LABEL)
    gateway = _read(send, "gateway.networking.k8s.io/v1", "gateways", GATEWAY) if tenant else None
    if gateway is None or not is_true(gateway, "Programmed"):
        return None
    keys, proxies = _read(send, "v1", "secrets", keys_secret(tenant)), _read(send, "v1", "services", PROXY)
    if keys is None or proxies is None:
        return None
    listener = children(gateway, "spec", "listeners")[0]
    return Endpoint(
        host=listener["hostname"],
        port=listener["port"],
        address=proxies["spec"]["clusterIP"],
        path=tenant_path(tenant),
        key=_key(send, tenant, keys),
        trusted=_trusted(_read(send, "v1", "secrets", TLS_SECRET)),
    )


def _read(send: Send, version: str, plural: str, name: str) -> Object | None:
    answer = send("GET", resource(version, plural, SPACE, name), None)
    return answer.json() if answer.status_code == 200 else None


def _key(send: Send, tenant: str, keys: Object) -> str:
    """The key of the plane's own caller, made where there is none."""
    held = at(keys, "data", CALLER)
    if held:
        return base64.b64decode(held).decode()
    key = new_key()
    body = change_of_key(CALLER, key)
    send("PATCH", resource("v1", "secrets", SPACE, keys_secret(tenant)), body).raise_for_status()
    return key


def new_key() -> str:
    """A random key of a caller."""
    return f"corral-{secrets.token_urlsafe(KEY_BYTES)}"


def change_of_key(caller: str, key: str | None) -> Object:
    """The patch of a Secret of keys that gives a caller this key, as of today; None: it has none any more.

    With it the entry of no caller: an empty list would let in whom another tenant lets in.
    """
    held = {caller: key, NO_CALLER: NO_KEY}
    today = datetime.now(UTC).date().isoformat()
    return {
        "metadata": {"annotations": {f"{SINCE}{caller}": None if key is None else today}},
        "data": {
            name: None if text is None else base64.b64encode(text.encode()).decode()
            for name, text in held.items()
        },
    }


def _trusted(certificate: Object | None) -> ssl.SSLContext:
    """What signs the endpoint's certificate, beside what this machine trusts."""
    context = ssl.create_default_context()
    authority = at(certificate or {}, "data", "ca.crt")
    if authority:
        context.load_verify_locations(cadata=base64.b64decode(authority).decode())
    return context


def sent_by(client: httpx.Client) -> Send:
    """Requests by `client`; a change is a merge patch."""

    def send(method: str, path: str, body: Any) -> httpx.Response:
        if body is None:
            return client.request(method, path)
        return client.request(method, path, json=body, headers={"Content-Type": CONTENT_TYPES["merge"]})

    return send
