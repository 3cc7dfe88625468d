"""Answers every batch file below a prefix that was not answered yet."""

import hashlib
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from corral.tools.batch.caller import EXPIRED, Caller
from corral.tools.batch.lines import Answer, Failure, Request, line_of, requests
from corral.tools.batch.parts import Parts
from corral.tools.failure import ToolFailure
from corral.tools.store import Location, listed, read_json, write_json

INPUT = ".jsonl"
OUTPUT, ERRORS, RECORD = ".output.jsonl", ".errors.jsonl", ".batch.json"
"""Ends of what comes of an input: answers, lines without one, and the Batch object, which is written last."""
MOST_BYTES = 200 << 20
"""Of an input, as OpenAI's Batch API has it."""
CHUNK = 1 << 20

Say = Callable[[str], None]


@dataclass(frozen=True)
class Batch:
    """What a run does."""

    model: str
    """Name that requests ask for."""
    source: Location
    """Prefix of the inputs."""
    target: Location
    """Prefix of what comes of them."""
    concurrency: int
    """Requests at a time."""


@dataclass(frozen=True)
class Input:
    """A file of requests in the store."""

    key: str
    name: str
    """Key below the prefix, without its end."""
    etag: str
    size: int


@dataclass
class Results:
    """What has become of a file's lines so far; threads share it."""

    batch: str
    output: IO[bytes]
    errors: IO[bytes]
    parts: Parts
    answered: int = 0
    codes: Counter[str] = field(default_factory=lambda: Counter[str]())
    first: list[str] = field(default_factory=lambda: list[str]())
    """`line N: code` of the first that failed."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def resume(self) -> frozenset[int]:
        """Take over what earlier runs were answered; the lines that need not be asked any more."""
        known: set[int] = set()
        for text in self.parts.earlier():
            line = line_of(json.loads(text))
            if line not in known:
                known.add(line)
                self._answered(text + b"\n")
        return frozenset(known)

    def add(self, one: Answer | Failure) -> None:
        text = json.dumps(one.json(self.batch)).encode() + b"\n"
        with self._lock:
            if isinstance(one, Answer):
                self._answered(text)
                self.parts.add(text)
                return
            self.codes[one.code] += 1
            if len(self.first) < 5:
                self.first.append(f"line {one.line}: {one.code}")
            self.errors.write(text)

    def _answered(self, text: bytes) -> None:
        self.answered += 1
        self.output.write(text)

    @property
    def failed(self) -> int:
        return sum(self.codes.values())


def run(order: Batch, caller: Caller, store: Any, say: Say) -> None:
    """Answer every input of `order` whose present content was not answered yet.

    Nothing that is said or raised has text of a request or of an answer.

    Raises:
        ToolFailure: the model did not answer at all, or the time was over before the last line.
        botocore.exceptions.ClientError: the store refused.
    """
    due = [one for one in inputs(order.source, store) if not _answered(order, one, store)]
    if not due:
        say(f"{order.source.uri}: no file that was not answered yet")
        return
    caller.wait()
    expired = [one.key for one in due if not _whole(order, one, caller, store, say)]
    if expired:
        raise ToolFailure(
            f"time was over before the last line of {', '.join(expired)}: the lines are in the error files"
        )


def inputs(source: Location, store: Any) -> Iterator[Input]:
    """Files of requests below `source`, by name."""
    prefix = source.key("")
    for one in listed(store, source.bucket, prefix):
        if one["Key"].endswith(INPUT):
            name = one["Key"].removeprefix(prefix).removesuffix(INPUT)
            yield Input(one["Key"], name, one["ETag"].strip('"'), int(one["Size"]))


def _answered(order: Batch, one: Input, store: Any) -> bool:
    record = read_json(store, order.target, one.name + RECORD)
    return record is not None and record.get("metadata", {}).get("input_etag") == one.etag


def _whole(order: Batch, one: Input, caller: Caller, store: Any, say: Say) -> bool:
    """Answer one input; whether there was time for all of its lines."""
    began = int(time.time())
    batch = f"batch_{hashlib.sha256(f'{one.key} {one.etag}'.encode()).hexdigest()[:24]}"
    with tempfile.TemporaryDirectory() as folder:
        paths = {end: Path(folder, end) for end in (OUTPUT, ERRORS)}
        parts = Parts(store, order.target, one.name, batch)
        with paths[OUTPUT].open("wb") as output, paths[ERRORS].open("wb") as errors:
            results = Results(batch, output, errors, parts)
            if one.size > MOST_BYTES:
                results.add(Failure(0, None, "file_too_large", f"use {MOST_BYTES} bytes at most"))
            else:
                known = results.resume()
                if known:
                    say(f"{one.key}: goes on from an earlier run with {len(known)} answered")
                asked = requests(_lines(order, one, store), order.model)
                _ask(order, (line for line in asked if line.line not in known), caller, results)
        written = [end for end, lines in ((OUTPUT, results.answered), (ERRORS, results.failed)) if lines]
        for end in written:
            store.upload_file(str(paths[end]), order.target.bucket, order.target.key(one.name + end))
    late = results.codes[EXPIRED]
    uris = {end: f"{order.target.uri}/{one.name}{end}" for end in written}
    record = {
        "id": batch,
        "object": "batch",
        "status": "expired" if late else "completed",
        "input_file_id": f"{order.source.uri}/{one.name}{INPUT}",
        "output_file_id": uris.get(OUTPUT),
        "error_file_id": uris.get(ERRORS),
        "created_at": began,
        "completed_at": int(time.time()),
        "request_counts": {
            "total": results.answered + results.failed,
            "completed": results.answered,
            "failed": results.failed,
        },
        "metadata": {"input_etag": one.etag, "model": order.model},
    }
    write_json(store, order.target, one.name + RECORD, record)
    parts.remove()
    say(f"{one.key}: {results.answered} answered, {results.failed} failed{_reasons(results)}")
    return not late


def _reasons(results: Results) -> str:
    if not results.failed:
        return ""
    codes = ", ".join(f"{count} {code}" for code, count in sorted(results.codes.items()))
    return f" ({codes}; {', '.join(results.first)})"


def _lines(order: Batch, one: Input, store: Any) -> Iterator[bytes]:
    """Lines of the content that was listed; another one is refused by the store."""
    body = store.get_object(Bucket=order.source.bucket, Key=one.key, IfMatch=one.etag)["Body"]
    yield from body.iter_lines(CHUNK)


def _ask(order: Batch, lines: Iterator[Request | Failure], caller: Caller, results: Results) -> None:
    """Ask so many at a time; no more of the file is held than is asked."""
    reading = threading.Lock()

    def work() -> None:
        while True:
            with reading:
                one = next(lines, None)
            if one is None:
                return
            results.add(one if isinstance(one, Failure) else caller.ask(one))

    with ThreadPoolExecutor(order.concurrency) as pool:
        for done in [pool.submit(work) for _ in range(order.concurrency)]:
            done.result()
