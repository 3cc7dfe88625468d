"""A store of somebody else, from which candidates for a model come."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.door.site import packaged
from tests.doubles.s3 import create_bucket, s3_client, s3_server
from tests.fair_sharing.stack import CANDIDATE, STACK

from corral.catalogue.models import models

SPEC = models()[STACK["models"][0]["model"]]
FILE = SPEC.files[0].name
NAMED = b"Mix1 Ep2"
"""End of the model's name in the file's metadata."""


class Intake:
    """What the store has at `CANDIDATE`."""

    def __init__(self, url: str, client: Any) -> None:
        self.url, self._client = url, client
        self._file = packaged(SPEC.package_source or "", FILE)
        assert self._file.count(NAMED) == 1

    def put(self, candidate: int) -> str:
        """A model that answers as the first one, under a name of its own; the SHA-256 of its file."""
        content = self._file.replace(NAMED, NAMED[:-1] + str(candidate).encode())
        place = urlsplit(CANDIDATE)
        self._client.put_object(Bucket=place.netloc, Key=f"{place.path[1:]}/{FILE}", Body=content)
        return hashlib.sha256(content).hexdigest()


@contextmanager
def intake() -> Iterator[Intake]:
    with s3_server() as url:
        client = s3_client(url)
        create_bucket(client, urlsplit(CANDIDATE).netloc)
        yield Intake(url, client)
