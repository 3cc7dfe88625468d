"""What the tasks of the process node share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from corral.embedded.home import PlaneHome
from corral.embedded.kube import Api
from corral.embedded.plane.record import PlaneRecord

Classification = Literal["process", "simulated", "refused"]


@dataclass(frozen=True)
class PodEntry:
    """What the node knows of one pod that is bound to a machine."""

    uid: str
    namespace: str
    name: str
    classification: Classification
    pod_ip: str = ""
    """10.P.x.y; empty for a pod that does not run here."""
    bind: str = ""
    """127.P.x.y, where its processes listen."""
    ready: bool = False
    terminating: bool = False
    pids: tuple[int, ...] = ()
    """Running processes, without their shims."""


class PodTable(Mapping[str, PodEntry]):
    """Pod UID -> entry; for the node's other tasks to read."""

    def __init__(self) -> None:
        self._entries: dict[str, PodEntry] = {}

    def __getitem__(self, uid: str) -> PodEntry:
        return self._entries[uid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: PodEntry) -> None:
        self._entries[entry.uid] = entry

    def drop(self, uid: str) -> None:
        self._entries.pop(uid, None)

    def at(self, pod_ip: str) -> PodEntry | None:
        """The pod that runs here with this address."""
        return next((entry for entry in self._entries.values() if entry.pod_ip == pod_ip), None)


@dataclass(frozen=True)
class NodeContext:
    """One plane's node: handed to each of its tasks."""

    api: Api
    home: PlaneHome
    record: PlaneRecord
    pods: PodTable
