"""Model files in Cloud Storage, entered by this pod's own identity."""

from collections.abc import Iterator

from corral.tools.cloud_client import CloudClient
from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, Say, below, relative
from corral.tools.store import Location


class CloudSource:
    """Objects below a prefix; a prefix that is an object itself is that one file."""

    def __init__(self, location: Location):
        self._location = location
        self._client = CloudClient()

    def listing(self) -> Listing:
        """Every file; of none does the store keep a SHA-256."""
        where = self._location
        objects = self._client.listed(where.bucket, where.prefix)
        files = [
            Listed(name, int(one["size"]), None, str(one["generation"]))
            for one in objects
            if (name := below(where.prefix, str(one["name"]))) is not None
        ]
        if not files:
            raise ToolFailure(f"{where.uri}: no file there")
        return Listing(None, tuple(files))

    def read(self, name: str, notes: Say) -> Iterator[bytes]:
        """The object in one stream, of one generation."""
        where = self._location
        key = (
            where.prefix if where.prefix.rpartition("/")[2] == name else where.key(relative(name).as_posix())
        )
        there = self._client.metadata(where.bucket, key)
        if there is None:
            raise ToolFailure(f"gs://{where.bucket}/{key} cannot be read: it is not there")
        yield from self._client.read(where.bucket, key, str(there["generation"]), notes)
