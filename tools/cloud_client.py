"""Calls of Cloud Storage's JSON API, by the pod's own identity.

The API is that of https://cloud.google.com/storage/docs/json_api/v1. `STORAGE_EMULATOR_HOST` names another
place of it, as it does for Google's own clients.
"""

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, cast
from urllib.parse import quote

import httpx

from corral.catalogue.authorities import authorities
from corral.catalogue.stores import CLOUD_STORAGE
from corral.tools.failure import ToolFailure
from corral.tools.google_identity import Identity
from corral.tools.sources.transfer import (
    PASSING,
    TIMEOUT,
    Broken,
    Part,
    content,
    http_part,
    repeated,
    retry_after,
    unheard,
)

OK, CREATED, NOT_FOUND, PRECONDITION_FAILED = 200, 201, 404, 412
REFUSED = frozenset((401, 403))
PAGE = 1000

Say = Callable[[str], None]
Json = dict[str, Any]


class CloudClient:
    """Buckets of Cloud Storage, entered as the pod's account."""

    def __init__(self, notes: Say = unheard) -> None:
        self.notes = notes
        self.base = (os.environ.get("STORAGE_EMULATOR_HOST") or CLOUD_STORAGE).rstrip("/")
        self.http = httpx.Client(auth=Identity(notes), verify=authorities(), timeout=TIMEOUT)

    # One object.

    def metadata(self, bucket: str, key: str) -> Json | None:
        """What the store says of an object, as `generation` and `md5Hash`; None when it is not there."""
        what = f"gs://{bucket}/{key}"
        answer = self.call("GET", self.url(bucket, key), what, expected=(OK, NOT_FOUND))
        return None if answer.status_code == NOT_FOUND else cast(Json, answer.json())

    def read(self, bucket: str, key: str, generation: str, notes: Say = unheard) -> Iterator[bytes]:
        """An object's content in chunks, of that generation alone, however often the connection breaks."""
        what = f"gs://{bucket}/{key}"
        url = f"{self.url(bucket, key)}?alt=media&generation={generation}"

        def refused(status: int) -> ToolFailure:
            if status == NOT_FOUND:
                return ToolFailure(f"{what}: it was changed while it was read; run the import again")
            return ToolFailure(f"{what} cannot be read: {_refusal(status)}")

        def open_at(offset: int, version: str | None) -> AbstractContextManager[Part]:
            return http_part(self.http, url, {}, refused, offset, version, pin=generation)

        return content(open_at, what, notes)

    def listed(self, bucket: str, prefix: str) -> list[Json]:
        """Objects below a prefix."""
        found: list[Json] = []
        token = ""
        while True:
            query = {"prefix": prefix, "maxResults": str(PAGE), **({"pageToken": token} if token else {})}
            url = str(httpx.URL(f"{self.base}/storage/v1/b/{quote(bucket, safe='')}/o", params=query))
            page = self.call("GET", url, f"gs://{bucket}/{prefix}").json()
            found += page.get("items", [])
            token = str(page.get("nextPageToken", ""))
            if not token:
                return found

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object; one that is not there is removed already."""
        what = f"gs://{bucket}/{key}"
        self.call("DELETE", self.url(bucket, key), what, expected=(OK, 204, NOT_FOUND))

    def write(self, bucket: str, key: str, body: bytes, options: Mapping[str, str], details: Json) -> Json:
        """Make an object of `body` at once, if its MD5 is right when it arrives; what the store says of it.

        Raises:
            ToolFailure: refused; or one is there that `options` did not expect, and it is another one.
        """
        what, md5 = f"gs://{bucket}/{key}", md5_of(body)
        boundary = uuid.uuid4().hex
        stated = json.dumps({"name": key, "md5Hash": md5, **details})
        multipart = (
            (
                f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{stated}\r\n"
                f"--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
            ).encode()
            + body
            + f"\r\n--{boundary}--\r\n".encode()
        )
        url = self.upload_url(bucket, {"uploadType": "multipart", **options})
        headers = {"Content-Type": f"multipart/related; boundary={boundary}"}
        expected = (OK, CREATED, PRECONDITION_FAILED)
        answer = self.call("POST", url, what, headers=headers, body=multipart, expected=expected)
        return self.settled(bucket, key, answer, md5)

    def settled(self, bucket: str, key: str, answer: httpx.Response, md5: str) -> Json:
        """The object that `answer` is about, whose content has that MD5.

        An answer that was lost leaves an object behind that the next attempt does not expect: it is this one.
        So is what another import of the same file has made meanwhile.
        """
        what = f"gs://{bucket}/{key}"
        if answer.status_code == PRECONDITION_FAILED:
            there = self.metadata(bucket, key) or {}
            if there.get("md5Hash") != md5:
                raise ToolFailure(f"{what}: another import has written it meanwhile; run the import again")
            return there
        made = cast(Json, answer.json())
        if made.get("md5Hash") != md5:
            gone = f"{self.url(bucket, key)}?generation={made.get('generation', '')}"
            self.call("DELETE", gone, what, expected=(OK, 204, NOT_FOUND))
            raise ToolFailure(
                f"{what}: the store has another content than was sent (MD5); it was removed again"
            )
        return made

    # Calls.

    def url(self, bucket: str, key: str) -> str:
        return f"{self.base}/storage/v1/b/{quote(bucket, safe='')}/o/{quote(key, safe='')}"

    def upload_url(self, bucket: str, query: Mapping[str, str]) -> str:
        place = f"{self.base}/upload/storage/v1/b/{quote(bucket, safe='')}/o"
        return str(httpx.URL(place, params=dict(query)))

    def call(
        self,
        method: str,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        expected: Collection[int] = (OK,),
    ) -> httpx.Response:
        """The store's answer to a call that may be repeated.

        Raises:
            ToolFailure: it is none of `expected`, or the store is not reached however often it is tried.
        """
        return repeated(what, lambda: self.once(method, url, what, headers or {}, body, expected), self.notes)

    def once(
        self,
        method: str,
        url: str,
        what: str,
        headers: Mapping[str, str],
        body: bytes,
        expected: Collection[int],
    ) -> httpx.Response:
        """The answer to one attempt.

        Raises:
            Broken: another attempt may mend it.
            ToolFailure: the store refuses.
        """
        try:
            answer = self.http.request(method, url, headers=dict(headers), content=body)
        except httpx.TransportError as error:
            raise Broken("the connection broke off") from error
        if answer.status_code in expected:
            return answer
        if answer.status_code in PASSING:
            order = retry_after(answer.headers.get("Retry-After"))
            raise Broken(f"the store answers {answer.status_code}", order=order)
        verb = {"GET": "read", "DELETE": "removed"}.get(method, "written")
        raise ToolFailure(f"{what} cannot be {verb}: {_refusal(answer.status_code, _reason(answer))}")


def md5_of(body: bytes) -> str:
    """MD5 as the store has it of every object that was sent in one piece or by one upload."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def _refusal(status: int, reason: str = "") -> str:
    said = f"Cloud Storage answers {status}" + (f", {reason}" if reason else "")
    return f"{said}; the pod's account needs a role on the bucket" if status in REFUSED else said
