"""The API client against a small local server that speaks just enough Kubernetes."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
import yaml

from corral.embedded.kube import Api, ApiError, Informer, resource


class FakeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, dict] = {}
        self.watches: list[list[dict]] = []
        self.requests: list[tuple[str, str, str, bytes]] = []


def thing(name: str, version: str) -> dict:
    return {"metadata": {"name": name, "namespace": "llm", "resourceVersion": version, "uid": name}}


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def log_message(self, format, *args):
        pass

    def answer(self, status: int, body: dict):
        data = json.dumps(body).encode()
        self.send_response(status)
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
        if parse_qs(address.query).get("watch"):
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
