"""A pod's own identity at Google: tokens of the metadata server, and no key.

On GKE each node's metadata server tells a pod who it is by Workload Identity Federation. It is found as every
client of Google's finds it: `GCE_METADATA_HOST`, or its fixed name. Elsewhere a token that somebody got
otherwise is taken from `GOOGLE_OAUTH_ACCESS_TOKEN`, which pulumi-gcp reads too.
"""

import os
import threading
import time
from collections.abc import Callable, Generator

import httpx

from corral.catalogue.authorities import authorities
from corral.tools.failure import ToolFailure
from corral.tools.sources.transfer import CONNECT_ATTEMPTS, PASSING, Broken, repeated, unheard

METADATA = "metadata.google.internal"
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
MARGIN_SECONDS = 120.0
"""Before its end, a token is not used any more."""
UNAUTHORIZED = 401
TIMEOUT = httpx.Timeout(10.0)

Say = Callable[[str], None]


class Identity(httpx.Auth):
    """The identity of this process, for a client of httpx; a refused token is asked for once more."""

    def __init__(self, notes: Say = unheard) -> None:
        self._notes, self._lock = notes, threading.Lock()
        self._token, self._until = "", 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self.token()
        request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code == UNAUTHORIZED:
            again = self.token(refused=token)
            if again != token:
                request.headers["Authorization"] = f"Bearer {again}"
                yield request

    def token(self, refused: str | None = None) -> str:
        """A token that is good for a while, and is not the `refused` one where another can be had.

        Raises:
            ToolFailure: nobody gives one.
        """
        given = os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN")
        if given:
            return given
        with self._lock:
            if self._token == refused or time.monotonic() >= self._until:
                self._token, self._until = repeated("the metadata server", _fetched, self._notes)
            return self._token


def _fetched() -> tuple[str, float]:
    """A token, and until when of the monotonic clock it is used."""
    host = os.environ.get("GCE_METADATA_HOST") or METADATA
    url = f"http://{host}{TOKEN_PATH}"
    try:
        # A proxy is for the world outside; this server is of the node.
        headers = {"Metadata-Flavor": "Google"}
        answer = httpx.get(url, headers=headers, verify=authorities(), timeout=TIMEOUT, trust_env=False)
    except httpx.TransportError as error:
        elsewhere = "outside of Google Cloud name a token in GOOGLE_OAUTH_ACCESS_TOKEN"
        raise Broken(f"no answer at {host}; {elsewhere}", attempts=CONNECT_ATTEMPTS) from error
    if answer.status_code in PASSING:
        raise Broken(f"it answers {answer.status_code}")
    if not answer.is_success:
        raise ToolFailure(
            f"the metadata server at {host} answers {answer.status_code}: "
            "the pod's account has no identity at Google"
        )
    try:
        stated = answer.json()
        return str(stated["access_token"]), time.monotonic() + float(stated["expires_in"]) - MARGIN_SECONDS
    except (ValueError, KeyError, TypeError) as error:
        raise ToolFailure(f"the metadata server at {host} answers what is no token") from error
