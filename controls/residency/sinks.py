"""Addresses to which a program sends what it measures and logs, by the names under which it has them."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from corral.controls.profiles import Profile
from corral.controls.residency.places import inner, is_region

_VARIABLE = re.compile(
    r"(?:[A-Z0-9]+_)*(?:OTLP(?:_[A-Z]+)?_ENDPOINT|OTEL_EXPORTER_[A-Z]+_ENDPOINT|SENTRY_DSN|WEBHOOK(?:_URL)?"
    r"|(?:LANGFUSE|LANGSMITH|LANGCHAIN|HELICONE)_(?:HOST|BASE_?URL|ENDPOINT)|PHOENIX_COLLECTOR_ENDPOINT"
    r"|REMOTE_WRITE_URL|LOKI_URL|JAEGER_ENDPOINT|PUSHGATEWAY(?:_URL)?|APM_SERVER_URL|MLFLOW_TRACKING_URI)"
)
_REGION = re.compile(
    r"(?:AWS|S3|GCP|GOOGLE_CLOUD|CLOUDSDK_COMPUTE|BEDROCK)(?:_DEFAULT)?_(?:REGION|LOCATION|ZONE)"
)
"""A variable by which a cloud's libraries know the region to call."""
_OPTION = re.compile(
    r"--?(?:otlp|otel|remote-write|telemetry|tracing)[a-z._-]*(?:endpoint|url|address)(?:[= ](.+))?"
)
_KEYS = ("remoteWrite", "remote_write")
_WORLDWIDE = re.compile(
    r"\.(?:com|net|org|io|ai|dev|cloud|app|co|tech|info|biz|so|us|ca|uk|ch|cn|hk|jp|kr|in|sg|au|ru|br)$"
)
"""Ends of names of hosts that are of no state of the EU."""
_IN_EUROPE = ("cloud.langfuse.com",)
"""Sites of services in the EU whose names do not say so."""


def sinks(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(Path, address) of each sink that the properties of a resource name."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        name, own = fields.get("name"), fields.get("value")
        if isinstance(name, str) and isinstance(own, str) and _VARIABLE.fullmatch(name):
            yield f"{path}.value", own
        for key, item in fields.items():
            place = f"{path}.{key}" if path else key
            if key in _KEYS:
                yield from _written(item, place)
            elif isinstance(item, str) and _VARIABLE.fullmatch(key):
                yield place, item
            yield from sinks(item, place)
    elif isinstance(value, list):
        several = cast(list[Any], value)
        for index, item in enumerate(several):
            match = _OPTION.fullmatch(item) if isinstance(item, str) else None
            address = match and (match[1] or (several[index + 1] if index + 1 < len(several) else None))
            if isinstance(address, str):
                yield f"{path}.{index}", address
            yield from sinks(item, f"{path}.{index}")


def regions(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(Path, region) of each region that a container's environment has libraries of a cloud call."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        name, own = fields.get("name"), fields.get("value")
        if isinstance(name, str) and isinstance(own, str) and _REGION.fullmatch(name) and is_region(own):
            yield f"{path}.value", own
        for key, item in fields.items():
            yield from regions(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            yield from regions(item, f"{path}.{index}")


def _written(targets: Any, path: str) -> Iterator[tuple[str, str]]:
    for index, one in enumerate(cast(list[Any], targets) if isinstance(targets, list) else ()):
        url: Any = cast(Mapping[str, Any], one).get("url") if isinstance(one, Mapping) else None
        if isinstance(url, str):
            yield f"{path}.{index}.url", url


def elsewhere(address: str, profile: Profile) -> str | None:
    """The host of `address` where its name says that it is outside the cluster, one's domain and the EU."""
    host = urlsplit(address if "://" in address else f"//{address}").hostname
    if host is None or "$" in host or host in _IN_EUROPE or profile.registry is None:
        return None
    try:
        return host if ipaddress.ip_address(host).is_global else None
    except ValueError:
        pass
    if not _WORLDWIDE.search(host) or is_own(host, profile.registry):
        return None
    places = [place for _, place in inner({"host": host})]
    return None if places and all(profile.holds(str(place)) for place in places) else host


def is_own(host: str, registry: str) -> bool:
    """Whether `host` is of the domain that the platform's registry is of."""
    own = registry.partition("/")[0].partition(":")[0]
    domain = own.partition(".")[2] if own.count(".") > 1 else own
    return host == domain or host.endswith(f".{domain}")
