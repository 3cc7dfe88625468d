"""A provider `gcp`, whose state is a Google Cloud of this process."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.providers.faults import Faults
from tests.providers.gcp import buckets, clusters, discovery, parts
from tests.providers.gcp.google import Google, GoogleError, google, refusal
from tests.providers.provider import Provider, serving

PROJECT, REGION = "gcp:config:project", "gcp:config:region"


class Gcp(Provider):
    """The provider, whose state is a Google Cloud of this process."""

    version = "10.2.0"
    needed = PROJECT
    kinds: Mapping[str, Any] = {**parts.KINDS, **buckets.KINDS, **clusters.KINDS}
    functions: Mapping[str, Any] = parts.FUNCTIONS
    refused = (GoogleError,)

    def __init__(self, cloud: Google) -> None:
        super().__init__(Faults(throttled="rateLimitExceeded", refusal=refusal))
        self.google = cloud

    def of(self, inputs: Mapping[str, Any]) -> Google:
        self.google.project, self.google.region = self.config[PROJECT], self.config.get(REGION, "")
        return self.google

    def refusals(self, token: str, inputs: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        return discovery.refusals(token, inputs)


@contextmanager
def provider() -> Iterator[tuple[Gcp, int]]:
    """The provider with an empty Google Cloud behind it, and its port."""
    with google() as cloud:
        servicer = Gcp(cloud)
        with serving(servicer) as port:
            yield servicer, port
