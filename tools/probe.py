"""Both ends of a connection from pod to pod: `corral plan --probe` sees by it whether policies hold."""

import socket
import time
from collections.abc import Callable

from corral.tools.failure import ToolFailure

GREETING = b"corral\n"
"""A forwarder in between may accept a connection that leads nowhere; it cannot say this."""
ATTEMPT_SECONDS = 2.0
PAUSE_SECONDS = 0.5
SILENT_ATTEMPTS = 3
"""Attempts in a row without an answer after which a way counts as closed."""
Say = Callable[[str], None]


def listen(host: str | None, port: int, seconds: float, say: Say) -> None:
    """Greet whoever connects, for `seconds`.

    host: address to listen on; None: all of the pod's.
    """
    dual = host is None and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    end = time.monotonic() + seconds
    with socket.create_server((host or "", port), family=family, dualstack_ipv6=dual) as server:
        say(f"listening on port {port}")
        while (left := end - time.monotonic()) > 0:
            server.settimeout(left)
            try:
                connection, _ = server.accept()
            except TimeoutError:
                return
            with connection:
                _greet(connection)


def _greet(connection: socket.socket) -> None:
    try:
        connection.sendall(GREETING)
    except OSError:
        return  # Whoever connected has left, which is theirs to do.


def dial(host: str, port: int, *, closed: bool, seconds: float, say: Say) -> None:
    """Connect until somebody answers, or, for `closed`, until nobody does any more.

    Raises:
        ToolFailure: neither within `seconds`.
    """
    end, silent = time.monotonic() + seconds, 0
    while True:
        answered = _answers(host, port)
        silent = 0 if answered else silent + 1
        if answered and not closed:
            return say(f"{host}:{port} answers")
        if closed and silent == SILENT_ATTEMPTS:
            return say(f"{host}:{port} does not answer")
        if time.monotonic() > end:
            state = "still answers" if closed else "does not answer"
            raise ToolFailure(f"{host}:{port} {state} after {seconds:g} s")
        time.sleep(PAUSE_SECONDS)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), ATTEMPT_SECONDS) as connection:
            connection.settimeout(ATTEMPT_SECONDS)
            return connection.recv(len(GREETING), socket.MSG_WAITALL) == GREETING
    except OSError:
        return False
