"""What importer and loader need of a store of models, whichever it is."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from corral.tools.store import Location, Stored

Say = Callable[[str], None]


class Staged(Protocol):
    """One file on its way, invisible in the store until `finish`."""

    @property
    def name(self) -> str: ...

    def write(self, chunk: bytes) -> None:
        """The next bytes."""
        ...

    def verified(self, sha256: str) -> None:
        """All bytes are here, and right: send what is left, so that `finish` has little to do."""
        ...

    def finish(self) -> None:
        """Make it an object, whose content the store has checked."""
        ...

    def discard(self) -> None:
        """Leave nothing of it in the store."""
        ...


class ModelStore(Protocol):
    """A store of models. Every method raises `ToolFailure`, or an error of the store's client, if refused."""

    def read_json(self, location: Location, name: str) -> dict[str, Any] | None:
        """The JSON object `name`; None when there is no such key or it is not JSON."""
        ...

    def write_json(self, location: Location, name: str, value: dict[str, Any]) -> None: ...

    def size_of(self, location: Location, name: str) -> int | None:
        """Bytes of an object; None when it is not there."""
        ...

    def sha256_of(self, location: Location, name: str) -> str | None:
        """SHA-256 in hex of what the store gives out as `name`; None: it gives out nothing."""
        ...

    def stage(self, target: Location, name: str, pool: ThreadPoolExecutor) -> Staged:
        """The file `name` of `target`, of which nothing was sent yet."""
        ...

    def remove_abandoned(self, target: Location, say: Say) -> None:
        """Remove what imports into `target` left behind that were killed a day ago or earlier."""
        ...

    def listed(self, bucket: Location, prefix: str) -> Sequence[Stored]:
        """Objects of `bucket` whose keys begin with `prefix`."""
        ...

    def remove(self, bucket: Location, key: str) -> None:
        """Remove one object with its earlier versions; where those stay, the bucket's own rule ends them."""
        ...

    def download(self, source: Location, name: str, path: Path) -> None:
        """Write the object `name` to `path`."""
        ...


def store_of(location: Location, say: Say) -> ModelStore:
    """The store that `location` is in, with what the environment says of it; `say` hears what it repeats."""
    if location.scheme == "gs":
        from corral.tools.cloud_storage import CloudStorage

        return CloudStorage(say)
    from corral.tools.s3_store import S3Store

    return S3Store()
