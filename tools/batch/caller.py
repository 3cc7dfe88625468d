"""Asks a model's server, again while it is away or full, until the batch's time is over."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from corral.tools.batch.lines import Answer, Failure, Request, response
from corral.tools.failure import ToolFailure
from corral.tools.sources.transfer import retry_after

AWAY = (429, 502, 503, 504)
"""Answers of a server that is full, starts or ends."""
FAULT_ATTEMPTS = 3
"""Of a line that the server answers with another 5xx."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two attempts; each pause is twice the one before."""
EXPIRED = "batch_expired"
"""Code of a line for which there was no time, as OpenAI's Batch API has it."""
PREFIX = "/v1"


@dataclass
class Caller:
    """Calls of one model; threads share it."""

    url: str
    """Base URL of its OpenAI-compatible API, with `/v1`."""
    until: float
    """Seconds of `time.monotonic` after which no line is asked."""
    sleep: Callable[[float], None] = time.sleep
    _own: threading.local = field(default_factory=threading.local)

    def wait(self) -> None:
        """Return once the model's server lists its models.

        Raises:
            ToolFailure: it does not before the time is over.
        """
        pause = FIRST_PAUSE
        while True:
            reason = self._lists()
            if reason is None:
                return
            if self.left <= pause:
                raise ToolFailure(f"the model at {self.url} does not answer: {reason}")
            self.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    @property
    def left(self) -> float:
        """Seconds until the time is over."""
        return self.until - time.monotonic()

    def ask(self, one: Request) -> Answer | Failure:
        """The answer to `one`, or why there is none."""
        body = json.dumps(one.body).encode()
        pause, faults = FIRST_PAUSE, 0
        nothing: tuple[int, Mapping[str, str], bytes] = (0, {}, b"")
        while self.left > 0:
            try:
                status, headers, text = self._call("POST", one.url, body)
            except (OSError, http.client.HTTPException):
                status, headers, text = nothing
            if status and status not in AWAY:
                faults += status >= 500
                if status < 500 or faults >= FAULT_ATTEMPTS:
                    return _result(one, status, headers, text)
            order = retry_after(headers.get("retry-after"))
            self.sleep(max(0.0, min(pause if order is None else order, self.left)))
            pause = min(2 * pause, LONGEST_PAUSE)
        return Failure(
            one.line,
            one.custom_id,
            EXPIRED,
            "This request could not be executed before the completion window expired.",
        )

    def _lists(self) -> str | None:
        """Why the server does not list its models; None: it does."""
        try:
            status, _, _ = self._call("GET", f"{PREFIX}/models", None)
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        return None if status == http.HTTPStatus.OK else f"HTTP {status}"

    def _call(self, method: str, path: str, body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        connection = self._connection()
        connection.timeout = max(1.0, self.left)
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)
        target = urlsplit(self.url).path.removesuffix(PREFIX) + path
        try:
            connection.request(method, target, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read()
        except BaseException:
            connection.close()
            raise

    def _connection(self) -> http.client.HTTPConnection:
        """This thread's own, kept between its calls."""
        held: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if held is None:
            parts = urlsplit(self.url)
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            held = kind(parts.hostname or "", parts.port)
            self._own.connection = held
        return held


def _result(one: Request, status: int, headers: Mapping[str, str], text: bytes) -> Answer | Failure:
    request_id = headers.get("x-request-id", "")
    try:
        body: Any = json.loads(text)
    except ValueError:
        return Failure(one.line, one.custom_id, "invalid_response", f"HTTP {status} without JSON")
    if status != http.HTTPStatus.OK:
        known = response(status, request_id, body)
        return Failure(one.line, one.custom_id, "request_failed", f"the model answered HTTP {status}", known)
    return Answer(one.line, one.custom_id, response(status, request_id, body))
