"""The API server's proxy and the forwarders, over real sockets."""

import asyncio
import logging

import pytest

from corral.embedded.node.egress import Malformed, serve, target
from corral.embedded.node.endpoints import Backend, Unreachable
from corral.embedded.node.forwarders import Forwarders, service_ports

GONE = "service kyverno/kyverno-svc:443 has no endpoint that runs here: pod kyverno/adm-1 is simulated"
SECONDS = 10


def run(coroutine):
    async def bounded():
        async with asyncio.timeout(SECONDS):
            return await coroutine

    return asyncio.run(bounded())


async def upstream(handle, host="127.0.0.1"):
    server = await asyncio.start_server(handle, host, 0)
    return server, server.sockets[0].getsockname()[1]


async def echo_after_eof(reader, writer):
    """Answers only when the other side has finished sending."""
    received = await reader.read()
    writer.write(b"heard " + received)
    writer.close()


async def free_port(host="127.0.0.1"):
    server, port = await upstream(echo_after_eof, host)
    server.close()
    return port


async def no_kubelet(_stream):
    raise AssertionError("nobody asked for a kubelet")


class Proxy:
    """A running CONNECT proxy whose answers to `resolve` are the test's."""

    def __init__(self, path, resolve):
        self.path, self.resolve = path, resolve

    async def __aenter__(self):
        self.task = asyncio.create_task(serve(self.path, self.resolve, no_kubelet))
        while not self.path.exists() or self.path.stat().st_mode & 0o777 != 0o600:
            assert not self.task.done(), self.task.exception()
            await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def ask(self, line):
        reader, writer = await asyncio.open_unix_connection(self.path)
        writer.write(line.encode() + b"\r\nHost: 127.0.0.1\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        return head.decode().split("\r\n")[0], reader, writer


def test_connect_reaches_the_process_behind_the_address_and_carries_a_half_close(tmp_path):
    async def trip():
        server, port = await upstream(echo_after_eof)
        requests = []

        def resolve(host, expected):
            requests.append((host, expected))
            return [Backend("127.0.0.1", port, "llm/a")]

        async with Proxy(tmp_path / "run" / "egress.sock", resolve) as proxy:
            status, reader, writer = await proxy.ask("CONNECT 127.96.0.9:443 HTTP/1.1")
            writer.write(b"hello")
            writer.write_eof()
            answer = await reader.read()
        server.close()
        return status, requests, answer

    status, requests, answer = run(trip())
    assert status.startswith("HTTP/1.1 200 ")
    assert requests == [("127.96.0.9", 443)]
    assert answer == b"heard hello", "the answer sent after our end of file must still arrive"


def test_connect_without_an_endpoint_is_refused_by_name_in_status_line_and_body(tmp_path, caplog):
    def resolve(_host, _port):
        raise Unreachable(GONE)

    async def trip():
        async with Proxy(tmp_path / "egress.sock", resolve) as proxy:
            status, reader, _ = await proxy.ask("CONNECT 127.96.0.9:443 HTTP/1.1")
            return status, await reader.read()

    status, body = run(trip())
    assert status == f"HTTP/1.1 503 {GONE}", "the API server reports the status line only"
    assert body.decode().strip() == GONE
    assert GONE in caplog.text


def test_connect_to_a_process_that_has_just_died_tries_the_next_one(tmp_path):
    async def trip():
        dead = await free_port()
        server, port = await upstream(echo_after_eof)
        backends = [Backend("127.0.0.1", dead, "llm/dead"), Backend("127.0.0.1", port, "llm/live")]
        async with Proxy(tmp_path / "egress.sock", lambda *_: backends) as proxy:
            _, reader, writer = await proxy.ask("CONNECT 127.96.0.9:80 HTTP/1.1")
            writer.write_eof()
            answer = await reader.read()
        server.close()
        return answer

    assert run(trip()) == b"heard "


def test_when_no_process_accepts_the_refusal_names_the_pod(tmp_path):
    async def trip():
        dead = await free_port()
        async with Proxy(tmp_path / "e.sock", lambda *_: [Backend("127.0.0.1", dead, "llm/dead")]) as proxy:
            status, _, _ = await proxy.ask("CONNECT 127.96.0.9:80 HTTP/1.1")
            return status

    assert "503 llm/dead at 127.0.0.1:" in run(trip())


def test_a_request_that_is_no_connect_is_refused(tmp_path):
    async def trip():
        async with Proxy(tmp_path / "egress.sock", lambda *_: []) as proxy:
            status, _, _ = await proxy.ask("GET / HTTP/1.1")
            return status

    assert run(trip()).startswith("HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "line", [b"CONNECT x HTTP/1.1", b"CONNECT x:0 HTTP/1.1", b"CONNECT :1 HTTP/1.1", b""]
)
def test_a_target_that_is_not_host_and_port_is_malformed(line):
    with pytest.raises(Malformed):
        target(line + b"\r\n\r\n")


def test_the_socket_is_the_owners_alone_and_one_left_behind_is_replaced(tmp_path):
    path = tmp_path / "egress.sock"
    path.write_text("left by a killed node")

    async def trip():
        path.unlink()
        stale = await asyncio.start_unix_server(echo_after_eof, path)
        stale.close()
        path.chmod(0o644)
        async with Proxy(path, lambda *_: []):
            return path.stat().st_mode & 0o777

    assert run(trip()) == 0o600
    assert not path.exists(), "a stopped node leaves no socket"


def service(ip, *ports, name="chat"):
    return {
        "metadata": {"name": name, "namespace": "llm"},
        "spec": {"clusterIP": ip, "ports": [dict(port) for port in ports]},
    }


def test_only_tcp_ports_of_loopback_cluster_ips_get_a_listener():
    result = service_ports(
        [
            service("127.96.0.9", {"port": 80}, {"port": 53, "protocol": "UDP"}),
            service("None", {"port": 81}),
            service("10.96.0.1", {"port": 82}),
        ]
    )
    assert result == {("127.96.0.9", 80): "llm/chat:80"}, "nothing but loopback is ever listened on"


def test_a_listener_opens_and_closes_with_its_service():
    async def trip():
        server, port = await upstream(echo_after_eof)
        listener = ("127.96.0.9", await free_port("127.96.0.9"))
        forwarders = Forwarders(lambda *_: [Backend("127.0.0.1", port, "llm/a")])
        await forwarders.update({listener: "llm/chat"})
        reader, writer = await asyncio.open_connection(*listener)
        writer.write(b"hello")
        writer.write_eof()
        answer = await reader.read()
        await forwarders.update({})
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*listener)
        server.close()
        return answer

    assert run(trip()) == b"heard hello"


def test_what_a_process_streams_arrives_piece_by_piece():
    async def stream(reader, writer):
        writer.write(b"data: one\n\n")
        await reader.readuntil(b"next")
        writer.write(b"data: two\n\n")
        writer.close()

    async def trip():
        server, port = await upstream(stream)
        listener = ("127.96.0.9", await free_port("127.96.0.9"))
        forwarders = Forwarders(lambda *_: [Backend("127.0.0.1", port, "llm/a")])
        await forwarders.update({listener: "llm/chat"})
        reader, writer = await asyncio.open_connection(*listener)
        first = await reader.readuntil(b"\n\n")
        writer.write(b"next")
        second = await reader.readuntil(b"\n\n")
        forwarders.close()
        server.close()
        return first, second

    assert run(trip()) == (b"data: one\n\n", b"data: two\n\n")


def test_a_slow_reader_holds_the_sender_back():
    sent = 0

    async def flood(_reader, writer):
        nonlocal sent
        for _ in range(1024):
            writer.write(b"x" * 64 * 1024)
            await writer.drain()
            sent += 64 * 1024
        writer.close()

    async def trip():
        server, port = await upstream(flood)
        listener = ("127.96.0.9", await free_port("127.96.0.9"))
        forwarders = Forwarders(lambda *_: [Backend("127.0.0.1", port, "llm/a")])
        await forwarders.update({listener: "llm/chat"})
        reader, _writer = await asyncio.open_connection(*listener, limit=1024)
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.2)
        held = sent
        while await reader.read(1 << 20):
            pass
        forwarders.close()
        server.close()
        return held

    assert run(trip()) < 32 * 1024 * 1024, "64 MiB must not pile up in the forwarder"
    assert sent == 64 * 1024 * 1024, "all of it arrives once it is read"


def test_a_client_of_a_service_without_process_is_cut_off_and_the_log_says_why_once(caplog):
    def resolve(_host, _port):
        raise Unreachable(GONE)

    async def trip():
        listener = ("127.96.0.9", await free_port("127.96.0.9"))
        forwarders = Forwarders(resolve)
        await forwarders.update({listener: "kyverno/kyverno-svc:443"})
        for _ in range(2):
            reader, _ = await asyncio.open_connection(*listener)
            assert await reader.read() == b""
        forwarders.close()

    run(trip())
    assert caplog.text.count(GONE) == 1


def test_a_door_that_cannot_be_bound_is_named_once_and_opens_when_it_can(caplog):
    async def trip():
        taken, port = await upstream(echo_after_eof, "127.96.0.9")
        listener = ("127.96.0.9", port)
        forwarders = Forwarders(lambda *_: [])
        with caplog.at_level(logging.WARNING):
            await forwarders.update({listener: "llm/chat:1"})
            await forwarders.update({listener: "llm/chat:1"})
        assert forwarders.opened() == frozenset()
        taken.close()
        await forwarders.update({listener: "llm/chat:1"})
        opened = forwarders.opened()
        forwarders.close()
        return opened, listener

    opened, listener = run(trip())
    assert opened == {listener}
    assert caplog.text.count("llm/chat:1") == 1
