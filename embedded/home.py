"""Where the embedded platform keeps its files: one folder, written for its owner only."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

PLANE_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$")
RESERVED = frozenset({"charts", "toolchain"})


@dataclass(frozen=True)
class PlaneHome:
    """The folder of one plane: `$CORRAL_HOME/<name>`."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def kubeconfig(self) -> Path:
        """Admin kubeconfig; its presence means that the plane was started."""
        return self.root / "kubeconfig"

    @property
    def record(self) -> Path:
        """Ports, address ranges and processes of the plane, as JSON."""
        return self.root / "plane.json"

    @property
    def control(self) -> Path:
        """Work folder of the control plane (kwokctl's)."""
        return self.root / "control"

    @property
    def run(self) -> Path:
        """Unix sockets and process records."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pods(self) -> Path:
        """One folder per pod UID."""
        return self.root / "pods"

    @property
    def disks(self) -> Path:
        """A folder for each node of the plane: what pods mount of a node's own disk."""
        return self.root / "disks"

    @property
    def volumes(self) -> Path:
        """One folder per PersistentVolume; outlives pods and `stop`."""
        return self.root / "volumes"

    @property
    def engine(self) -> Path:
        """Pulumi's home, state and the stack file with its encrypted secrets."""
        return self.root / "engine"


@dataclass(frozen=True)
class Home:
    """`$CORRAL_HOME`, by default `~/.cache/corral`."""

    root: Path

    @staticmethod
    def find() -> "Home":
        chosen = os.environ.get("CORRAL_HOME")
        return Home(Path(chosen).expanduser().absolute() if chosen else Path.home() / ".cache" / "corral")

    @property
    def toolchain(self) -> Path:
        """Programs, charts and Python environments, keyed by version; `$CORRAL_TOOLCHAIN` moves it."""
        chosen = os.environ.get("CORRAL_TOOLCHAIN")
        return Path(chosen).expanduser().absolute() if chosen else self.root / "toolchain"

    @property
    def charts(self) -> Path:
        """Unpacked charts that `corral setup charts` has pulled, by name."""
        return self.root / "charts"

    def plane(self, name: str) -> PlaneHome:
        """The folder of plane `name`.

        Raises:
            ValueError: the name is not 1 to 20 of a-z, 0-9 and '-', or is reserved.
        """
        if not PLANE_NAME.match(name) or name in RESERVED:
            taken = ", ".join(sorted(RESERVED))
            raise ValueError(f"plane name {name!r}: use 1 to 20 of a-z, 0-9 and '-', and not {taken}")
        return PlaneHome(self.root / name)


def private_directory(path: Path) -> Path:
    """Make `path` and its missing parents, each readable by the owner alone."""
    if not path.is_dir():
        private_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def pulumi_home(path: Path) -> Path:
    """Make `path` a PULUMI_HOME in which Pulumi writes no diagnostics of its own.

    Since 3.233 the CLI logs every message between its parts, tens of MiB an update and more than half of
    its processor time, and has no switch. It goes on without where it cannot make the folder `logs`.
    """
    logs = private_directory(path) / "logs"
    if not logs.exists():
        logs.touch(mode=0o600)
    return path


def write_private(path: Path, content: str | bytes) -> None:
    """Replace `path` atomically by `content`, readable by the owner alone."""
    private_directory(path.parent)
    data = content.encode() if isinstance(content, str) else content
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
