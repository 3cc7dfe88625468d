"""Answers that a run has so far, kept in the store: the run after a killed one goes on from there."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from corral.tools.store import Location, listed

FOLDER = ".parts/"
"""End of the folder of an input's parts, below which each content of it has its own."""
SECONDS = 30.0
"""Between two parts: as much of the model's work may be done twice."""


@dataclass
class Parts:
    """Answers to one content of an input, a line of JSON each, in files of some seconds each."""

    store: Any
    target: Location
    """Prefix of what comes of the inputs."""
    name: str
    """The input's key below its prefix, without its end."""
    batch: str
    """Identity of the content."""
    _pending: list[bytes] = field(default_factory=lambda: list[bytes]())
    _last: float = field(default_factory=time.monotonic)

    def earlier(self) -> Iterator[bytes]:
        """What earlier runs were answered; a line may come twice, of two runs at a time.

        Raises:
            botocore.exceptions.ClientError: the store refused.
        """
        for key in self._keys(f"{self.batch}/"):
            yield from self.store.get_object(Bucket=self.target.bucket, Key=key)["Body"].iter_lines()

    def add(self, text: bytes) -> None:
        """Keep an answer; what there is goes to the store once a part's time is over."""
        self._pending.append(text)
        if time.monotonic() - self._last >= SECONDS:
            key = self.target.key(f"{self.name}{FOLDER}{self.batch}/{uuid.uuid4().hex}.jsonl")
            self.store.put_object(Bucket=self.target.bucket, Key=key, Body=b"".join(self._pending))
            self._pending.clear()
            self._last = time.monotonic()

    def remove(self) -> None:
        """Remove the parts of every content of the input."""
        for key in list(self._keys("")):
            self.store.delete_object(Bucket=self.target.bucket, Key=key)

    def _keys(self, below: str) -> Iterator[str]:
        prefix = self.target.key(f"{self.name}{FOLDER}{below}")
        return (one["Key"] for one in listed(self.store, self.target.bucket, prefix))
