"""Where the output of a plane's parts and pods is."""

import json
from pathlib import Path

from corral.embedded.home import PlaneHome
from corral.embedded.plane.control import cluster_folder


def components(home: PlaneHome) -> dict[str, Path]:
    """Log of every part of the plane: control plane, daemons, supervisor."""
    folders = (cluster_folder(home) / "logs", home.logs)
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.log"))}


def pods(home: PlaneHome) -> list[tuple[str, str]]:
    """(namespace, name) of every pod that runs or ran here as processes, sorted."""
    records = [*home.pods.glob("*/pod.json"), *home.logs.glob("pods/*/*/pod.json")]
    contents = [json.loads(record.read_text()) for record in records]
    return sorted({(content["namespace"], content["name"]) for content in contents})
