"""Asking a model through the gateway of a plane, with an API server and proxies played by functions."""

import base64
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from corral.catalogue.gateway import NO_CALLER, NO_KEY
from corral.embedded import chat as module
from corral.embedded.chat import Chat
from corral.embedded.endpoint import CALLER, SINCE, Endpoint, endpoint_of, sent_by
from corral.embedded.home import Home

MODEL = {
    "metadata": {"name": "smol", "namespace": "red", "labels": {"corral.dev/tenant": "red"}},
    "spec": {"predictor": {}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
GATEWAY = {
    "spec": {"listeners": [{"hostname": "models.example.eu", "port": 8443}]},
    "status": {"conditions": [{"type": "Programmed", "status": "True"}]},
}
ANSWER = b'data: {"choices": [{"delta": {"content": "Paris"}}]}\n\ndata: [DONE]\n\n'


class Server:
    """An API server with what a gateway brings."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {
            "gateways/corral": GATEWAY,
            "services/corral-gateway": {"spec": {"clusterIP": "127.96.0.9"}},
            "secrets/keys-red": {"data": {NO_CALLER: _encoded(NO_KEY)}},
            "secrets/gateway-tls": {"data": {}},
        }
        self.client = httpx.Client(
            base_url="https://plane.invalid", transport=httpx.MockTransport(self._respond)
        )

    def _respond(self, request: httpx.Request) -> httpx.Response:
        space, _, name = request.url.path.partition("/namespaces/")[2].partition("/")
        if name == "pods":
            return httpx.Response(200, json={"items": []})
        assert space == "envoy-gateway-system"
        if name not in self.objects:
            return httpx.Response(404)
        if request.method == "PATCH":
            assert request.headers["Content-Type"] == "application/merge-patch+json"
            patch, stored = json.loads(request.content), self.objects[name]
            stored["data"].update(patch["data"])
            stored.setdefault("metadata", {}).setdefault("annotations", {}).update(
                patch["metadata"]["annotations"]
            )
        return httpx.Response(200, json=self.objects[name])

    def found(self) -> Endpoint | None:
        return endpoint_of(sent_by(self.client), MODEL)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_question_finds_the_endpoint_of_its_models_tenant_and_makes_a_key_once():
    server = Server()
    first, second = server.found(), server.found()
    assert first is not None and second is not None
    assert (first.url, first.address) == ("https://models.example.eu:8443/red/v1", "127.96.0.9")
    assert first.key == second.key
    assert server.objects["secrets/keys-red"]["data"] == {
        NO_CALLER: _encoded(NO_KEY),
        CALLER: _encoded(first.key),
    }
    assert list(server.objects["secrets/keys-red"]["metadata"]["annotations"]) == [f"{SINCE}{CALLER}"]
    assert first.trusted.verify_mode is ssl.CERT_REQUIRED and first.trusted.check_hostname


@pytest.mark.parametrize("lacking", ["gateways/corral", "services/corral-gateway", "secrets/keys-red"])
def test_without_a_gateway_that_keys_open_there_is_no_endpoint(lacking: str):
    server = Server()
    del server.objects[lacking]
    assert server.found() is None


def test_a_gateway_without_proxies_is_no_endpoint():
    server = Server()
    server.objects["gateways/corral"] = {**GATEWAY, "status": {"conditions": []}}
    assert server.found() is None


def test_the_question_is_asked_as_an_application_does_until_the_new_key_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    server, asked = Server(), []

    def proxy(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(401) if len(asked) < 3 else httpx.Response(200, content=ANSWER)

    def client(self: Endpoint, seconds: float) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://{self.address}:{self.port}{self.path}",
            headers={"Authorization": f"Bearer {self.key}"},
            transport=httpx.MockTransport(proxy),
        )

    monkeypatch.setattr(Endpoint, "client", client)
    monkeypatch.setattr(module, "TRY_SECONDS", 0)
    parts = Chat(Home(tmp_path).plane("dev"), server.client).ask(MODEL, "What is the capital of France?")
    said = []
    while True:
        try:
            said.append(next(parts))
        except StopIteration as end:
            answer = end.value
            break
    assert said == ["Paris"] and answer.gateway == "https://models.example.eu:8443/red/v1"
    assert len(asked) == 3
    assert asked[-1].url.path == "/red/v1/chat/completions"
    assert asked[-1].extensions["sni_hostname"] == "models.example.eu"
    assert json.loads(asked[-1].content)["model"] == "smol"


def test_a_client_names_the_host_whose_address_it_calls():
    endpoint = Endpoint(
        "models.example.eu", 8443, "127.96.0.9", "/red/v1", "key", ssl.create_default_context()
    )
    with endpoint.client(1) as client:
        assert client.headers["Host"] == "models.example.eu:8443"
        assert str(client.base_url) == "https://127.96.0.9:8443/red/v1/"
