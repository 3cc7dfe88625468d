"""How fast a model is imported: the importer beside boto3's transfer, by turns, into the same real store."""

import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.doubles import seaweedfs
from tests.doubles.s3 import s3_client

from bench.figures import Figure
from corral.tools.importer import Import, run
from corral.tools.s3_store import S3Store
from corral.tools.store import Location

MIB = 1 << 20
SIZE = 256 * MIB
ROUNDS = 5
SHARE = 0.8
"""Of boto3's throughput that an import has at least, with every byte verified."""
FILE = "model.safetensors"


def imports() -> Iterator[Figure]:
    """Throughput of an import, which hashes every file, beside an upload by boto3, which does not."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "model"
        source.mkdir()
        content = os.urandom(SIZE)
        (source / FILE).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        del content
        with seaweedfs.running(folder) as store:
            yield from _compared(store.endpoint, source, digest)


def _compared(endpoint: str, source: Path, digest: str) -> Iterator[Figure]:
    key, secret = seaweedfs.ADMIN
    client = s3_client(endpoint, key, secret, "embedded")
    client.create_bucket(Bucket=seaweedfs.BUCKET)
    os.environ |= {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_REGION": "embedded",
        "AWS_DEFAULT_REGION": "embedded",
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "NO_PROXY": "127.0.0.1",
    }

    store = S3Store()

    def imported(number: int) -> None:
        target = Location.parse(f"s3://{seaweedfs.BUCKET}/imported-{number}")
        run(Import(f"file://{source}", target, {FILE: digest}, "MIT"), store, lambda _line: None)

    def uploaded(number: int) -> None:
        client.upload_file(str(source / FILE), seaweedfs.BUCKET, f"uploaded-{number}/{FILE}")

    taken: dict[Callable[[int], None], list[float]] = {imported: [], uploaded: []}
    for number in range(ROUNDS):
        for way in (imported, uploaded) if number % 2 else (uploaded, imported):
            begun = time.monotonic()
            way(number)
            taken[way].append(time.monotonic() - begun)
            place = ("imported-" if way is imported else "uploaded-") + f"{number}/{FILE}"
            client.delete_object(Bucket=seaweedfs.BUCKET, Key=place)
    ours, theirs = statistics.median(taken[imported]), statistics.median(taken[uploaded])
    yield Figure(
        f"import of {SIZE // MIB} MiB, verified", ours, "s", "boto3's upload", theirs, target=theirs / SHARE
    )
    shares = [one / other for one, other in zip(taken[uploaded], taken[imported], strict=True)]
    yield Figure("boto3's time in an import's, least of all rounds", min(shares), "")
    yield Figure("boto3's time in an import's, most of all rounds", max(shares), "")
