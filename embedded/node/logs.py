"""Where a pod's output is, while it lives and after."""

import json
import shutil
from pathlib import Path

from corral.embedded.home import PlaneHome, private_directory

KEPT = 3
"""Deleted pods of the same name whose logs are kept."""


def find(
    home: PlaneHome, namespace: str, pod: str, container: str | None = None, previous: bool = False
) -> Path:
    """Log file of a container's latest run, or of the one before it.

    Raises:
        LookupError: no such pod or container ran here, or there was no such run; the text says what is.
    """
    folder = _pod(home, namespace, pod)
    names = sorted(path.name for path in folder.iterdir() if list(path.glob("*.log")))
    if not names:
        raise LookupError(f"pod {namespace}/{pod} has not started a process yet")
    if container is None:
        container = _main(folder, names)
    if container not in names:
        raise LookupError(f"pod {namespace}/{pod}: no container {container!r}; it has {', '.join(names)}")
    runs = sorted((folder / container).glob("*.log"), key=lambda path: int(path.stem))
    if previous and len(runs) < 2:
        raise LookupError(f"container {container} of pod {namespace}/{pod} has no previous run")
    return runs[-2 if previous else -1]


def _main(folder: Path, names: list[str]) -> str:
    order = json.loads((folder / "pod.json").read_text()).get("containers") or names
    return next((name for name in order if name in names), names[0])


def _pod(home: PlaneHome, namespace: str, pod: str) -> Path:
    for record in home.pods.glob("*/pod.json"):
        content = json.loads(record.read_text())
        if (content["namespace"], content["name"]) == (namespace, pod):
            return record.parent
    gone = archive(home, namespace, pod)
    kept = sorted(gone.iterdir(), key=lambda path: path.stat().st_mtime) if gone.is_dir() else []
    if not kept:
        raise LookupError(f"no pod {namespace}/{pod} has run here as a process")
    return kept[-1]


def archive(home: PlaneHome, namespace: str, pod: str) -> Path:
    """Folder of the logs of deleted pods of this name, one folder per UID inside."""
    return home.logs / "pods" / f"{namespace}_{pod}"


def keep(home: PlaneHome, uid: str) -> None:
    """Move a pod's logs to the archive and remove the rest of its folder."""
    folder = home.pods / uid
    record = folder / "pod.json"
    if record.exists():
        content = json.loads(record.read_text())
        shelf = archive(home, content["namespace"], content["name"])
        for log in folder.glob("*/*.log"):
            target = private_directory(shelf / uid / log.parent.name) / log.name
            log.replace(target)
        if (shelf / uid).is_dir():
            record.replace(shelf / uid / "pod.json")
            for old in sorted(shelf.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
                shutil.rmtree(old)
    shutil.rmtree(folder, ignore_errors=not folder.exists())
