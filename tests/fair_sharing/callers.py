"""Calls of models through the gateway, as an application makes them."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform
from tests.fair_sharing.stack import STACK

from corral.catalogue.gateway import keys_secret

HOST, PORT = STACK["gateway"]["host"], STACK["gateway"]["port"]
SPACE = "envoy-gateway-system"
KEYS = {"red": "sk-red-0123456789", "blue": "sk-blue-0123456789"}
CHANGED_SECONDS = 20
RESTART_SECONDS = 60


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
