"""Both ends of the connection by which NetworkPolicies are tried."""

import contextlib
import socket
import threading

import pytest
from tests.doubles.servers import free_port

from corral.tools import probe
from corral.tools.__main__ import main
from corral.tools.failure import ToolFailure

HERE = "127.0.0.1"


@contextlib.contextmanager
def listening(seconds=1.5):
    port = free_port()
    arguments = ["probe", "listen", f"--host={HERE}", f"--port={port}", f"--seconds={seconds}"]
    thread = threading.Thread(target=main, args=(arguments,))
    thread.start()
    yield port
    thread.join()


def test_a_listener_is_reached_as_soon_as_it_listens(capsys):
    with listening() as port:
        assert main(["probe", "dial", f"--host={HERE}", f"--port={port}", "--seconds=5"]) == 0
    assert f"{HERE}:{port} answers" in capsys.readouterr().out


def test_a_way_counts_as_closed_once_the_listener_is_gone(capsys):
    with listening() as port:
        assert main(["probe", "dial", f"--host={HERE}", f"--port={port}", "--seconds=8", "--closed"]) == 0
    assert f"{HERE}:{port} does not answer" in capsys.readouterr().out


def test_a_way_that_stays_open_is_a_failure_with_the_time_that_was_waited(capsys):
    with listening(2) as port:
        assert main(["probe", "dial", f"--host={HERE}", f"--port={port}", "--seconds=0.6", "--closed"]) == 1
    assert f"{HERE}:{port} still answers after 0.6 s" in capsys.readouterr().err


def test_somebody_who_accepts_and_says_nothing_is_no_answer():
    with socket.create_server((HERE, 0)) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(ToolFailure, match="does not answer"):
            probe.dial(HERE, port, closed=False, seconds=0.1, say=print)
