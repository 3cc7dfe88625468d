"""What a row of the table of programs says: which image runs here as which process, and how."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class Refused(Exception):
    """This pod cannot run here as a process; the text becomes the reason in the pod's status."""


@dataclass(frozen=True)
class Context:
    """What the node knows about one container when it is about to start it."""

    namespace: str
    pod: str
    container: str
    command: Sequence[str]
    """`command` of the container, variables expanded; empty: the image's entry point."""
    args: Sequence[str]
    """`args` of the container, variables expanded, cluster names that it dials replaced by addresses."""
    env: Mapping[str, str]
    """The container's environment, resolved; cluster names replaced by addresses."""
    bind: str
    """Loopback address that belongs to this pod alone; the process listens here and nowhere else."""
    ports: Mapping[str, int]
    """containerPort by name (by number as text where unnamed)."""
    kubeconfig: Path
    """Kubeconfig with the token of the pod's ServiceAccount, as the process sees it."""
    scratch: Path
    """Writable folder of this container alone: HOME, TMPDIR and working directory by default."""
    real_paths: bool
    """True: mounts stand at their real paths. False: use `path` to find them."""
    mounts: Mapping[str, Path]
    """Mount path -> folder or file on this machine."""

    def require_mounts(self, image: str, reason: str) -> None:
        """Refuse the pod unless mounts stand at their real paths; `reason`: what `image` needs them for.

        Raises:
            Refused: they do not.
        """
        if not self.real_paths:
            raise Refused(
                f"image {image} {reason}, and this machine does not let processes have mounts of their own"
            )

    def path(self, path: str) -> str:
        """Where the process finds `wanted`, a path as the container states it."""
        if self.real_paths:
            return path
        best = max(
            (m for m in self.mounts if path == m or path.startswith(m.rstrip("/") + "/")),
            key=len,
            default=None,
        )
        if best is None:
            return path
        rest = path[len(best) :].lstrip("/")
        return str(self.mounts[best] / rest) if rest else str(self.mounts[best])


@dataclass(frozen=True)
class Launch:
    """One process to start."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to the container's environment."""
    needs: Sequence[Path] = ()
    """Folders of this machine that the process reads and that must be visible to it."""
    cwd: Path | None = None


Treatment = Callable[[Context, str], Sequence[str]]
"""Given the context and a flag's value: the arguments that take its place."""


@dataclass(frozen=True)
class ProgramSpec:
    """A program that runs as a process of this machine."""

    name: str
    image: str
    """Repository without host, such as `kserve/agent`; any registry, mirror prefix, tag and digest fit."""
    launch: Callable[[Context], Launch]
    documented: str
    """Where the image's arguments are documented."""
    serves_names: bool = False
    """Cluster names in its arguments are names it serves, not addresses it dials: they stay as they are."""
    real_paths_only: bool = False
    """Its pods are simulated where processes cannot have mounts of their own; the platform does without."""


@dataclass(frozen=True)
class Omitted:
    """A container that is left out here, said so in the summary; the rest of its pod runs."""

    image: str
    why: str


def repository(image: str) -> str:
    """Repository path of an image reference: no registry host, tag or digest.

    >>> repository("registry.example.eu:5000/mirror/kserve/agent:v1@sha256:ab")
    'mirror/kserve/agent'
    """
    name = image.partition("@")[0]
    head, slash, rest = name.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        name = rest
    base, colon, _tag = name.rpartition(":")
    return base if colon else name


def fits(pattern: str, image: str) -> bool:
    """Whether `image` is `pattern` from any registry, mirror prefix, tag or digest."""
    name = repository(image)
    return name == pattern or name.endswith("/" + pattern) or f"library/{name}" == pattern
