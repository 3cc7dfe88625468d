"""Where tools are made: scratch folders, the Go command, module and package downloads."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corral.embedded.toolchain.downloads import ReleaseAccess
from corral.embedded.toolchain.errors import DISK_FULL, SourceUnavailable, ToolchainError, disk_full

UNTAGGED = "github.com/cert-manager/*,github.com/pulumi/*,github.com/kserve/*,sigs.k8s.io/*"
"""Modules that the public checksum database lacks; the committed go.sum files pin them all the same."""
COMPILER_GC_PERCENT = "400"
LINES_KEPT = 40


@dataclass(frozen=True)
class ModulePin:
    """A Go module, with the checksum that go.sum would carry."""

    path: str
    version: str
    sum: str


@dataclass
class Builder:
    """The folder `root` of the toolchain during one set-up."""

    root: Path
    find_go: Callable[["Builder"], Path]
    report: Callable[[str], None] = print
    releases: ReleaseAccess = field(default_factory=ReleaseAccess)
    _go: Path | None = None

    @property
    def build(self) -> Path:
        """Caches and scratch folders; may go when everything is complete."""
        return self.root / ".build"

    @property
    def scratch(self) -> Path:
        return self.build / "work"

    @property
    def go(self) -> Path:
        """The Go command, set up first where PATH has none that fits."""
        if self._go is None:
            self._go = self.find_go(self)
        return self._go

    def search_path(self) -> str:
        """PATH without the folders of the toolchain itself."""
        folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
        return os.pathsep.join(f for f in folders if f and not Path(f).is_relative_to(self.root))

    def go_environment(self) -> dict[str, str]:
        exempt = [os.environ.get("GONOSUMDB", ""), UNTAGGED]
        chosen = {
            "CGO_ENABLED": "0",
            "GOCACHE": str(self.build / "go-cache"),
            "GOMODCACHE": str(self.build / "go-modules"),
            "GOPATH": str(self.build / "go"),
            "GOTMPDIR": str(self.scratch),
            "GOFLAGS": "-buildvcs=false",
            "GOGC": COMPILER_GC_PERCENT,
            "GONOSUMDB": ",".join(filter(None, exempt)),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }
        return os.environ | chosen

    def run_go(
        self, arguments: Sequence[str], folder: Path, line: Callable[[str], None] | None = None
    ) -> None:
        """Run the Go command in `folder`, handing each line that it prints to `line`.

        Raises:
            ToolchainError: it failed; the message carries its last lines.
        """
        run([str(self.go), *arguments], folder, self.go_environment(), line)

    def module(self, pin: ModulePin) -> Path:
        """The unpacked, read-only folder of a module whose checksum is the pinned one."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        printed: list[str] = []
        where = f"{pin.path}@{pin.version}"
        self.run_go(["mod", "download", "-json", where], self.scratch, printed.append)
        answer: Mapping[str, str] = json.loads(
            "\n".join(line for line in printed if not line.startswith("go: "))
        )
        if answer["Sum"] != pin.sum:
            raise ToolchainError(f"module {where}: checksum {answer['Sum']}, expected {pin.sum}")
        return Path(answer["Dir"])

    def pip(self, arguments: Sequence[str]) -> None:
        """Run pip, of this Python or, where that has none, of a virtual environment made for it."""
        python = Path(sys.executable)
        if importlib.util.find_spec("pip") is None:
            python = self.build / "pip" / "bin" / "python"
            if not python.exists():
                run([sys.executable, "-m", "venv", str(self.build / "pip")], self.root, os.environ)
        options = ["--disable-pip-version-check", "--no-input"]
        run([str(python), "-m", "pip", *options, *arguments], self.root, os.environ)

    def installed(self, program: str) -> Path:
        """The program on PATH, outside of the toolchain.

        Raises:
            SourceUnavailable: there is none.
        """
        path = shutil.which(program, path=self.search_path())
        if path is None:
            raise SourceUnavailable(f"no {program} on PATH")
        return Path(path)


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    line: Callable[[str], None] | None = None,
) -> None:
    """Run `command` to its end, its output line by line to `line`.

    Raises:
        ToolchainError: it failed; the message carries its last lines.
    """
    tail: deque[str] = deque(maxlen=LINES_KEPT)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout
        try:
            for printed in process.stdout:
                tail.append(printed.rstrip())
                if line:
                    line(printed.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode == 0:
        return
    if any(DISK_FULL.lower() in printed.lower() for printed in tail):
        raise disk_full(folder)
    text = "\n  ".join(printed for printed in tail if not re.match(r"^[\w./-]+$", printed)) or "no output"
    what = " ".join([Path(command[0]).name, *command[1:]])[:200]
    raise ToolchainError(f"`{what}` failed with exit code {process.returncode}:\n  {text}")
