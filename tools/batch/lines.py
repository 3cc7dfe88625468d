"""Lines of batch files as OpenAI's Batch API has them (https://platform.openai.com/docs/guides/batch).

A request is `{"custom_id", "method", "url", "body"}`, a result `{"id", "custom_id", "response", "error"}`.
vLLM's `run-batch` reads and writes the same.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

URLS = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
"""Paths that a request may have."""
LONGEST_LINE = 8 << 20
"""Bytes of a request."""


@dataclass(frozen=True)
class Request:
    """One line that a model can be asked."""

    line: int
    """Its number in the file, from 1."""
    custom_id: str
    url: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """One line without an answer."""

    line: int
    custom_id: str | None
    """None: the line has none."""
    code: str
    message: str
    """Nothing of the line's own text."""
    response: Mapping[str, Any] | None = None
    """What the model's server answered; None: it was not asked, or gave no answer."""

    def json(self, batch: str) -> dict[str, Any]:
        """As a line of the error file of `batch`."""
        error = {"code": self.code, "message": self.message}
        return _result(batch, self.line, self.custom_id, self.response, error)


@dataclass(frozen=True)
class Answer:
    """One line with the model's answer."""

    line: int
    custom_id: str
    response: Mapping[str, Any]
    """`status_code`, `request_id`, `body`."""

    def json(self, batch: str) -> dict[str, Any]:
        """As a line of the output file of `batch`."""
        return _result(batch, self.line, self.custom_id, self.response, None)


def response(status: int, request_id: str, body: object) -> dict[str, Any]:
    """A server's answer, as results have it."""
    return {"status_code": status, "request_id": request_id, "body": body}


def _result(
    batch: str,
    line: int,
    custom_id: str | None,
    answer: Mapping[str, Any] | None,
    error: Mapping[str, str] | None,
) -> dict[str, Any]:
    own = f"{batch.replace('batch_', 'batch_req_', 1)}_{line}"
    return {"id": own, "custom_id": custom_id, "response": answer, "error": error}


def line_of(result: Mapping[str, Any]) -> int:
    """Number of the line that a result is about, from 1."""
    return int(str(result["id"]).rpartition("_")[2])


def requests(lines: Iterable[bytes], model: str) -> Iterator[Request | Failure]:
    """Each line that is not empty: a request to `model`, or what is wrong with it."""
    seen: set[str] = set()
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        one = _request(number, text, model)
        if one.custom_id is not None:
            if one.custom_id in seen:
                one = Failure(
                    number, one.custom_id, "duplicate_custom_id", "custom_id: an earlier line has it"
                )
            seen.add(one.custom_id or "")
        yield one


def _request(number: int, text: bytes, model: str) -> Request | Failure:
    if len(text) > LONGEST_LINE:
        return Failure(number, None, "line_too_long", f"use {LONGEST_LINE} bytes at most")
    try:
        content: object = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return Failure(number, None, "invalid_json_line", "no JSON object")
    line = cast("dict[str, Any]", content)
    identity = line.get("custom_id")
    if not isinstance(identity, str) or not identity:
        return Failure(
            number, None, "missing_required_parameter", "custom_id: use a text, each once in a file"
        )
    wrong = _wrong(line, model)
    if wrong is not None:
        return Failure(number, identity, *wrong)
    return Request(number, identity, line["url"], {**line["body"], "model": model})


def _wrong(line: Mapping[str, Any], model: str) -> tuple[str, str] | None:
    """Code and message of what a line cannot be asked for."""
    body = line.get("body")
    if line.get("method") != "POST":
        return "invalid_method", "method: use POST"
    if line.get("url") not in URLS:
        return "invalid_url", f"url: use one of {', '.join(URLS)}"
    if not isinstance(body, dict):
        return "missing_required_parameter", "body: use the JSON object of a request"
    known = cast("dict[str, Any]", body)
    if known.get("model", model) != model:
        return "mismatched_model", f"body.model: this batch asks {model}; use that, or leave it out"
    if known.get("stream"):
        return "unsupported_parameter", "body.stream: a batch has no streams; leave it out"
    return None
