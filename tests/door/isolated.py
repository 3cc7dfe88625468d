"""A network namespace without a way out, in which a newcomer's commands run; chosen ports lead out of it.

Nothing but the loopback interface is there. A connection to one of the ports goes through a Unix socket to
the same port of this process's loopback: so a mirror that a test serves is reached, and nothing else is.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

GATE = """
import os, socket, sys, threading

def pump(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    for end in (one, other):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

def serve(listener, path):
    while True:
        inside, _ = listener.accept()
        outside = socket.socket(socket.AF_UNIX)
        outside.connect(path)
        for pair in ((inside, outside), (outside, inside)):
            threading.Thread(target=pump, args=pair, daemon=True).start()

for port in sys.argv[2:]:
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=64)
    threading.Thread(target=serve, args=(listener, f"{sys.argv[1]}/{port}"), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


def _user() -> list[str]:
    """Options of unshare by which this user stays who it is, with the rights to set up the interface."""
    return [] if os.geteuid() == 0 else ["--map-current-user", "--keep-caps"]


@cache
def unavailable() -> str | None:
    """Why there is no such namespace here; None: there is."""
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    command = ["unshare", *_user(), "--net", "ip", "link", "set", "lo", "up"]
    done = subprocess.run(command, capture_output=True, check=False)
    return "this kernel gives no network namespace" if done.returncode else None


@contextmanager
def isolated(folder: Path, ports: list[int]) -> Iterator[tuple[str, ...]]:
    """A command that runs the command behind it within the namespace."""
    with contextlib.ExitStack() as stack:
        for port in ports:
            stack.enter_context(_forwarded(folder / str(port), port))
        script = 'ip link set lo up && exec "$@"'
        gate = [sys.executable, "-c", GATE, str(folder), *map(str, ports)]
        holder = subprocess.Popen(
            ["unshare", *_user(), "--net", "sh", "-c", script, "sh", *gate],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert holder.stdout is not None and holder.stdout.readline() == "ready\n"
            nsenter = shutil.which("nsenter")
            assert nsenter is not None
            spaces = ("--user", "--net", "--preserve-credentials") if _user() else ("--net",)
            yield (nsenter, "--target", str(holder.pid), *spaces, "--")
        finally:
            assert holder.stdin is not None
            holder.stdin.close()
            holder.wait(10)


@contextmanager
def _forwarded(path: Path, port: int) -> Iterator[None]:
    """Connections to the Unix socket `path` go to a port of this process's loopback interface."""
    listener = socket.socket(socket.AF_UNIX)
    # A path of more than 107 characters is none for a socket.
    listener.bind(os.path.relpath(path) if len(str(path)) > 100 else str(path))
    listener.listen(64)

    def serve() -> None:
        while True:
            try:
                inside, _ = listener.accept()
            except OSError:
                return
            outside = socket.create_connection(("127.0.0.1", port), timeout=30)
            outside.settimeout(None)
            for pair in ((inside, outside), (outside, inside)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
