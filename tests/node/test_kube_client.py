"""The API client against a small local server that speaks just enough Kubernetes."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
import yaml

from corral.embedded.informer import Informer
from corral.embedded.kube import DEFERRALS, Api, ApiError, resource


class FakeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, dict] = {}
        self.watches: list[list[dict]] = []
        self.requests: list[tuple[str, str, str, bytes]] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []
        """Status and headers of the next answers, in place of the real ones."""


def thing(name: str, version: str) -> dict:
    return {"metadata": {"name": name, "namespace": "llm", "resourceVersion": version, "uid": name}}


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def log_message(self, format, *args):
        pass

    def answer(self, status: int, body: dict, headers: dict[str, str] | None = None):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_any(self):
        size = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(size)
        address = urlparse(self.path)
        self.server.requests.append(
            (self.command, self.path, self.headers.get("Content-Type") or "", content)
        )
        if self.server.refusals:
            status, headers = self.server.refusals.pop(0)
            self.answer(status, {"reason": "Later", "message": "storage is (re)initializing"}, headers)
        elif parse_qs(address.query).get("watch"):
            self.answer_watch()
        elif address.path.endswith("/things"):
            items = list(self.server.objects.values())
            self.answer(
                200,
                {
                    "kind": "ThingList",
                    "apiVersion": "v1",
                    "metadata": {"resourceVersion": "9"},
                    "items": items,
                },
            )
        else:
            self.answer(404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": "no such"})

    def answer_watch(self):
        self.send_response(200)
        self.end_headers()
        for event in self.server.watches.pop(0) if self.server.watches else []:
            self.wfile.write(json.dumps(event).encode() + b"\n")

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    thread = threading.Thread(target=fake.serve_forever, daemon=True)
    thread.start()
    yield fake
    fake.shutdown()
    fake.server_close()


@pytest.fixture
def kubeconfig(server: FakeServer, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "users": [{"name": "u", "user": {"token": "opaque"}}],
            }
        )
    )
    return path


def run(kubeconfig: Path, work):
    async def main():
        api = Api.connect(kubeconfig, user_agent="test")
        try:
            return await work(api)
        finally:
            await api.aclose()

    return asyncio.run(asyncio.wait_for(main(), 20))


def test_paths_follow_the_group():
    assert resource("v1", "nodes", None, "a", "status") == "/api/v1/nodes/a/status"
    assert resource("apps/v1", "deployments", "llm") == "/apis/apps/v1/namespaces/llm/deployments"


def test_a_missing_object_is_an_error_that_says_so(server, kubeconfig):
    with pytest.raises(ApiError, match="no such") as caught:
        run(kubeconfig, lambda api: api.get("/api/v1/x"))
    assert caught.value.missing


def test_deleting_what_is_not_there_is_fine(server, kubeconfig):
    run(kubeconfig, lambda api: api.delete("/api/v1/x", {"gracePeriodSeconds": 0}))
    method, _path, _type, content = server.requests[0]
    assert (method, json.loads(content)) == ("DELETE", {"gracePeriodSeconds": 0})


def test_the_patch_kind_is_the_content_type_and_apply_is_forced(server, kubeconfig):
    with pytest.raises(ApiError):
        run(kubeconfig, lambda api: api.patch("/api/v1/x", {}, kind="apply", field_manager="me"))
    _method, path, content_type, _body = server.requests[0]
    assert content_type == "application/apply-patch+yaml"
    assert "force=true" in path
    assert "fieldManager=me" in path


def test_listed_items_know_their_kind(server, kubeconfig):
    server.objects["a"] = thing("a", "1")
    [item] = run(kubeconfig, lambda api: api.list("/api/v1/things"))
    assert (item["kind"], item["apiVersion"]) == ("Thing", "v1")


def follow(kubeconfig: Path, enough, on_change=None):
    seen: list[tuple[str, str]] = []

    async def work(api: Api):
        done = asyncio.Event()

        async def note(kind, item):
            seen.append((kind, item["metadata"]["name"]))
            if enough(seen):
                done.set()
            if on_change:
                on_change(kind, item, seen)

        informer = Informer(api, "/api/v1/things", note)
        task = asyncio.create_task(informer.run())
        await done.wait()
        task.cancel()
        return informer

    return run(kubeconfig, work), seen


def test_an_informer_lists_then_follows(server, kubeconfig):
    server.objects["a"] = thing("a", "1")
    server.watches = [
        [{"type": "ADDED", "object": thing("b", "10")}, {"type": "DELETED", "object": thing("a", "11")}]
    ]
    informer, seen = follow(kubeconfig, lambda seen: len(seen) == 3)
    assert seen == [("set", "a"), ("set", "b"), ("gone", "a")]
    assert informer.synced.is_set()


def test_an_informer_lists_again_when_its_version_expired(server, kubeconfig):
    server.watches = [
        [
            {"type": "ADDED", "object": thing("b", "10")},
            {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}},
        ]
    ]
    _informer, seen = follow(kubeconfig, lambda seen: ("gone", "b") in seen)
    assert seen == [("set", "b"), ("gone", "b")]


def test_an_informer_hands_an_object_in_again_when_the_handler_was_refused(server, kubeconfig):
    server.objects["a"] = thing("a", "1")

    def refuse_once(kind, item, seen):
        if len(seen) == 1:
            raise ApiError(409, "Conflict", "changed meanwhile")

    _informer, seen = follow(kubeconfig, lambda seen: len(seen) == 2, refuse_once)
    assert seen == [("set", "a"), ("set", "a")]


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_is_sent_again_when_the_server_says_after_how_long(server, kubeconfig, status):
    server.objects["a"] = thing("a", "1")
    server.refusals = [(status, {"Retry-After": "0"})] * 2
    [item] = run(kubeconfig, lambda api: api.list("/api/v1/things"))
    assert item["metadata"]["name"] == "a"
    assert len(server.requests) == 3


def test_the_server_is_given_the_time_that_it_asks_for(server, kubeconfig):
    server.refusals = [(429, {"Retry-After": "0.3"})]
    begun = time.monotonic()
    run(kubeconfig, lambda api: api.list("/api/v1/things"))
    assert time.monotonic() - begun >= 0.3


def test_a_server_that_always_defers_is_an_error_in_the_end(server, kubeconfig):
    server.refusals = [(429, {"Retry-After": "0"})] * 100
    with pytest.raises(ApiError, match="initializing") as caught:
        run(kubeconfig, lambda api: api.list("/api/v1/things"))
    assert caught.value.status == 429
    assert len(server.requests) == DEFERRALS + 1


@pytest.mark.parametrize("refusal", [(429, {}), (403, {"Retry-After": "0"}), (500, {"Retry-After": "soon"})])
def test_a_refusal_that_names_no_time_is_an_error_at_once(server, kubeconfig, refusal):
    server.refusals = [refusal]
    with pytest.raises(ApiError):
        run(kubeconfig, lambda api: api.list("/api/v1/things"))
    assert len(server.requests) == 1


def test_a_watch_waits_for_a_server_that_is_not_ready_yet(server, kubeconfig):
    server.refusals = [(429, {"Retry-After": "0"})]
    server.watches = [[{"type": "ADDED", "object": thing("b", "10")}]]

    async def work(api: Api):
        return [event async for event in api.changes("/api/v1/things", "9")]

    assert [event.object["metadata"]["name"] for event in run(kubeconfig, work)] == ["b"]


def test_an_informer_logs_once_that_it_retries_and_once_that_it_recovered(server, kubeconfig, caplog):
    caplog.set_level(logging.INFO, logger="corral.kube")
    server.objects["a"] = thing("a", "1")
    server.refusals = [(500, {})] * 3
    follow(kubeconfig, lambda seen: len(seen) == 1)
    lines = [record.getMessage() for record in caplog.records if record.name == "corral.kube"]
    assert len(lines) == 2
    assert "/api/v1/things" in lines[0] and "500" in lines[0]
    assert "recovered" in lines[1]
