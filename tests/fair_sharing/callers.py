"""Calls of models through the gateway, as an application makes them."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform
from tests.fair_sharing.stack import STACK

from corral.catalogue.gateway import PROXY, TLS_SECRET, keys_secret

HOST, PORT = STACK["gateway"]["host"], STACK["gateway"]["port"]
SPACE = "envoy-gateway-system"
KEYS = {"red": "sk-red-0123456789", "blue": "sk-blue-0123456789"}
CHANGED_SECONDS = 20
RESTART_SECONDS = 60
STEADY, PAUSE = 2, 0.2
"""Callers that do not stop asking, and the seconds that each waits between two calls."""
ATTEMPTS = 3
"""Of a call whose connection ends: OpenAI's clients make two more (`max_retries`), half a second later."""


def write(platform: Platform, content: dict[str, Any]) -> Path:
    """Make `content` the platform's stack file."""
    file = platform.checkout / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump({"config": {"corral:platform": content}}))
    return file


def up(platform: Platform, content: dict[str, Any]) -> None:
    """Bring the platform to this stack."""
    write(platform, content)
    done = platform.corral("up", seconds=platform_client.UP_SECONDS)
    assert done.code == 0, done.output[-4000:]


def change_key(platform: Platform, tenant: str, caller: str, key: str | None) -> None:
    """Give `caller` of `tenant` this key, or none."""
    patch = {"data": {caller: None}} if key is None else {"stringData": {caller: key}}
    platform.kubectl("patch", "secret", keys_secret(tenant), "-n", SPACE, "-p", json.dumps(patch))


def call(client: httpx.Client, path: str, key: str | None, body: dict[str, Any] | None = None):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    method = "GET" if body is None else "POST"
    extensions = {"sni_hostname": HOST}
    return client.request(method, path, json=body, headers=headers, extensions=extensions)


def status_of(client: httpx.Client, path: str, key: str | None) -> int | None:
    """Status of a call; None: no proxy answers it."""
    try:
        return call(client, path, key).status_code
    except httpx.TransportError:
        return None


def streamed(
    client: httpx.Client, body: dict[str, Any], key: str = KEYS["red"]
) -> AbstractContextManager[httpx.Response]:
    """A call of red's model that the body names, as its answer comes."""
    return client.stream(
        "POST",
        "/red/v1/chat/completions",
        json=body,
        headers={"Authorization": f"Bearer {key}"},
        extensions={"sni_hostname": HOST},
    )


def answers(client: httpx.Client, tenant: str, key: str | None, status: int) -> None:
    """Waits until a call of the tenant's list of models has this status."""
    platform_client.wait_for(
        lambda: status_of(client, f"/{tenant}/v1/models", key) == status,
        CHANGED_SECONDS,
        f"{tenant}'s models answer {status}",
    )


def question(text: str, tokens: int, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"messages": messages, "max_tokens": tokens, "temperature": 0, "model": "smollm2", **more}


def connected(platform: Platform) -> httpx.Client:
    """A client as an application is one: it knows the endpoint's name, and the authority to trust."""
    address = platform.read("service", PROXY, "-n", SPACE)["spec"]["clusterIP"]
    trusted = ssl.create_default_context(cadata=platform.secret(SPACE, TLS_SECRET)["ca.crt"])
    return httpx.Client(
        base_url=f"https://{address}:{PORT}",
        headers={"Host": HOST},
        verify=trusted,
        timeout=90,
        trust_env=False,
    )


class Steady:
    """Callers that never stop asking; what each call came to."""

    def __init__(self, ask: Callable[[], httpx.Response], attempts: int = 1) -> None:
        self._ask, self._attempts = ask, attempts
        self._ended = threading.Event()
        self.calls: list[str] = []
        self.longest = 0.0
        """Seconds that a call took at most."""

    def _called(self) -> str:
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(0.5)
            try:
                return str(self._ask().status_code)
            except httpx.HTTPError as error:
                ended = repr(error)
        return ended

    def _calls(self) -> None:
        while not self._ended.wait(PAUSE):
            begun = time.monotonic()
            self.calls.append(self._called())
            self.longest = max(self.longest, time.monotonic() - begun)

    @contextmanager
    def calling(self) -> Iterator["Steady"]:
        threads = [threading.Thread(target=self._calls) for _ in range(STEADY)]
        for one in threads:
            one.start()
        try:
            yield self
        finally:
            self._ended.set()
            for one in threads:
                one.join()

    def lost(self) -> list[str]:
        """Calls that got no answer; there were calls."""
        assert len(self.calls) >= 2 * STEADY, self.calls
        return [one for one in self.calls if one != "200"]
