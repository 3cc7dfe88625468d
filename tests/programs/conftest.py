"""A container as the node describes it, and toolchain folders that need not exist."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from corral.embedded import toolchain
from corral.embedded.home import Home
from corral.embedded.node.attempts import SHIM
from corral.embedded.node.mounts import write_passwd
from corral.embedded.node.program_spec import Context, Launch
from corral.embedded.node.programs import installed
from corral.embedded.node.volumes import Owner

MakeContext = Callable[..., Context]


@pytest.fixture
def container(tmp_path: Path) -> MakeContext:
    def make(*args: str, **changes: Any) -> Context:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        stated: dict[str, Any] = {
            "namespace": "llm", "pod": "chat-0", "container": "main", "command": [], "args": args,
            "env": {}, "bind": "127.97.0.7", "ports": {}, "kubeconfig": tmp_path / "kubeconfig",
            "scratch": scratch, "real_paths": True, "mounts": {},
        }  # fmt: skip
        return Context(**(stated | changes))

    return make


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A toolchain whose programs have paths only."""
    monkeypatch.setattr(toolchain, "tool", lambda name: tmp_path / "toolchain" / name / "bin" / name)
    monkeypatch.setattr(
        toolchain, "python_env", lambda name: tmp_path / "toolchain" / name / "bin" / "python"
    )
    monkeypatch.setattr(toolchain, "postgres_bin", lambda: tmp_path / "toolchain/postgres/a/b/bin")
    monkeypatch.setattr(toolchain, "wheels", lambda: tmp_path / "toolchain" / "wheels")
    return tmp_path / "toolchain"


class Process:
    """A program started as the node starts it, by its shim, for as long as a test needs it."""

    def __init__(self, launch: Launch, context: Context, user: int) -> None:
        folder = context.scratch.parent / "runs" / str(time.monotonic_ns())
        folder.mkdir(parents=True)
        self.log, self._process, self._exit = (folder / name for name in ("log", "process.json", "exit.json"))
        hosts = folder / "hosts"
        hosts.write_text(f"{context.bind} localhost\n")
        write_passwd(folder / "passwd", Owner(user, user, None), context.scratch)
        (context.scratch / "tmp").mkdir(exist_ok=True)
        real = context.real_paths
        (folder / "attempt.json").write_text(
            json.dumps(
                {
                    "argv": list(launch.argv), "cwd": str(launch.cwd or context.scratch),
                    "uid": user, "gid": user, "groups": [user],
                    "root": str(folder / "root") if real else None,
                    "binds": [
                        (str(context.scratch), str(context.scratch), "rw"),
                        (str(context.scratch / "tmp"), "/tmp", "rw"),
                        (str(hosts), "/etc/hosts", "ro"),
                        (str(folder / "passwd"), "/etc/passwd", "ro"),
                        *((str(need), str(need), "see") for need in launch.needs),
                        *((str(source), target, "rw") for target, source in context.mounts.items()),
                    ],
                    "hidden": [str(Home.find().root), str(installed.SCRIPTS.parents[2])],
                    "log": str(self.log), "process": str(self._process), "exit": str(self._exit),
                }
            )
        )  # fmt: skip
        (folder / "root").mkdir()
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(context.scratch), "LANG": "C.UTF-8",
            "TMPDIR": "/tmp" if real else str(context.scratch), **context.env, **launch.env,
        }  # fmt: skip
        owned = [path for path in (context.scratch, *context.mounts.values()) if user != os.geteuid()]
        for path in (result for top in owned for result in (top, *top.rglob("*"))):
            os.chown(path, user, user)
        self._shim = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SHIM), str(folder / "attempt.json")], stdin=subprocess.PIPE
        )
        assert self._shim.stdin is not None
        with self._shim.stdin as stream:
            stream.write(json.dumps(environment).encode())

    def until(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until `ready`; fails with the program's last words when it ends or takes longer."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self._shim.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"ended: {self._exit.exists()}: {self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def wait(self, seconds: float = 60) -> int:
        """Wait for the end; the exit status, negative for a signal."""
        self._shim.wait(seconds)
        return int(json.loads(self._exit.read_text())["code"])

    def stop(self, seconds: float = 40) -> int:
        """SIGTERM; the exit status."""
        self._shim.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """SIGKILL, where it still runs."""
        if self._shim.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self._shim.wait(30)

    @property
    def pid(self) -> int:
        return int(json.loads(self._process.read_text())["pid"])

    def family(self) -> set[int]:
        """The process and its descendants."""
        result, fresh = set[int](), {self.pid}
        while fresh:
            result |= fresh
            fresh = {child for pid in fresh for child in children(pid)} - result
        return result

    def listeners(self) -> set[tuple[str, int]]:
        """Addresses and ports on which it listens, of both families."""
        sockets = {file for pid in self.family() for file in open_files(pid)}
        result: set[tuple[str, int]] = set()
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                    address, port = fields[1].split(":")
                    text = ".".join(str(int(address[i : i + 2], 16)) for i in (6, 4, 2, 0))
                    result.add((text if table == "tcp" else address, int(port, 16)))
        return result


def children(pid: int) -> list[int]:
    """Children of a process; none when it has just ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def open_files(pid: int) -> list[str]:
    """What a process has open; nothing when it has just ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return []


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts programs and ends them with the test."""
    started: list[Process] = []

    def begin(launch: Launch, context: Context, user: int = 65534) -> Process:
        mapped = os.geteuid() != 0 or not context.real_paths  # then programs run as this user
        started.append(Process(launch, context, os.geteuid() if mapped else user))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
