"""What the tasks of the process node share."""

from dataclasses import dataclass

from corral.embedded.home import PlaneHome
from corral.embedded.kube import Api
from corral.embedded.plane.record import PlaneRecord


@dataclass(frozen=True)
class NodeContext:
    """One plane's node: handed to each of its tasks."""

    api: Api
    home: PlaneHome
    record: PlaneRecord
