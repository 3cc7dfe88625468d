"""The network namespace that tests of a site without internet run in."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.door import isolated

READ = "import sys, urllib.request; print(len(urllib.request.urlopen(sys.argv[1], timeout=10).read()))"
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"
LONG = b"x" * 3_000_000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(LONG)))
        self.end_headers()
        self.wfile.write(LONG)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server():
    """Port of a server on this machine's loopback interface."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made.server_address[1]
    made.shutdown()
    made.server_close()
    thread.join(10)


def test_a_chosen_port_is_reached_and_nothing_else_is(server, tmp_path):
    if reason := isolated.unavailable():
        pytest.skip(reason)
    other = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with isolated.isolated(tmp_path, [server]) as enter:

        def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
            command = [*enter, sys.executable, "-c", script, *map(str, arguments)]
            return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

        for _ in range(3):
            assert run(READ, f"http://127.0.0.1:{server}/").stdout == f"{len(LONG)}\n"
        for host in ("1.1.1.1", "2606:4700:4700::1111"):
            assert "Network is unreachable" in run(CONNECT, host, 443).stderr
        assert "Connection refused" in run(CONNECT, "127.0.0.1", other.server_address[1]).stderr
    other.server_close()
