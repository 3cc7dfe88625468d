"""Counting probe results, checking endpoints, and waiting between restarts."""

import asyncio

import pytest

from corral.embedded.node.backoff import next_level, pause
from corral.embedded.node.probes import Counter, Probe, check, port_of


def results_of(counter: Counter, results: str) -> list[bool | None]:
    return [counter.observe(result == "+") for result in results]


def test_a_verdict_changes_after_enough_results_in_a_row():
    assert results_of(Counter(2, 3, False), "+-++--+---") == [
        None,
        None,
        None,
        True,
        None,
        None,
        None,
        None,
        None,
        False,
    ]


def test_a_verdict_that_stays_is_not_told_again():
    assert results_of(Counter(1, 1, True), "++--") == [None, None, False, None]


def test_the_first_verdict_is_told():
    assert results_of(Counter(1, 2, None), "--") == [None, False]


def test_defaults_are_the_kubelets():
    probe = Probe.of({"tcpSocket": {"port": 1}})
    assert (probe.delay, probe.period, probe.timeout, probe.success, probe.failure) == (0, 10, 1, 1, 3)


def test_a_named_port_that_does_not_exist_is_an_error_that_names_those_that_do():
    container = {"name": "c", "ports": [{"name": "http", "containerPort": 80}]}
    assert port_of(container, "http") == 80
    with pytest.raises(ValueError, match="no port named 'grpc'; it has http"):
        port_of(container, "grpc")


def answer(status: int):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    return serve


@pytest.mark.parametrize(("status", "passed"), [(200, True), (302, True), (404, False), (503, False)])
def test_http_probes_pass_by_status(status, passed):
    async def main():
        server = await asyncio.start_server(answer(status), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        container = {"name": "c", "ports": [{"name": "http", "containerPort": port}]}
        results = []
        for action in (
            {"httpGet": {"path": "/x", "port": "http"}},
            {"tcpSocket": {"port": port}},
            {"grpc": {"port": port}},
        ):
            results.append(await check(Probe.of(action), container, "127.0.0.1", never))
        server.close()
        await server.wait_closed()
        closed = await check(Probe.of({"tcpSocket": {"port": port}}), container, "127.0.0.1", never)
        return results, closed

    async def never(_argv, _seconds):
        raise AssertionError

    assert asyncio.run(main()) == ([passed, True, True], False)


def test_a_probe_that_takes_longer_than_its_timeout_fails():
    async def unresponsive(reader, _writer):
        await reader.read()

    async def main():
        server = await asyncio.start_server(unresponsive, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        probe = Probe.of({"httpGet": {"port": port}, "timeoutSeconds": 0.2})
        begun = asyncio.get_running_loop().time()
        passed = await check(probe, {"name": "c"}, "127.0.0.1", None)
        server.close()
        return passed, asyncio.get_running_loop().time() - begun < 2

    assert asyncio.run(main()) == (False, True)


def test_the_first_restart_is_at_once_and_later_ones_wait_twice_as_long_each():
    assert [pause(level) for level in range(9)] == [0, 0, 10, 20, 40, 80, 160, 300, 300]


def test_a_long_run_starts_the_count_anew():
    assert (next_level(5, 599), next_level(5, 600)) == (6, 0)
