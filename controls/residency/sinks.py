"""Addresses to which a program sends what it measures and logs, by the names under which it has them."""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from corral.controls.profiles import Profile
from corral.controls.properties import walk
from corral.controls.residency.places import inner, is_region

_VARIABLE = re.compile(
    r"(?:[A-Z0-9]+_)*(?:OTLP(?:_[A-Z]+)?_ENDPOINT|OTEL_EXPORTER_[A-Z]+_ENDPOINT|SENTRY_DSN|WEBHOOK(?:_URL)?"
    r"|(?:LANGFUSE|LANGSMITH|LANGCHAIN|HELICONE)_(?:HOST|BASE_?URL|ENDPOINT)|PHOENIX_COLLECTOR_ENDPOINT"
    r"|REMOTE_WRITE_URL|LOKI_URL|JAEGER_ENDPOINT|PUSHGATEWAY(?:_URL)?|APM_SERVER_URL|MLFLOW_TRACKING_URI"
    r"|(?:OPENAI|ANTHROPIC|MISTRAL|COHERE|GEMINI|GROQ|TOGETHER|DEEPSEEK|LLM|EMBEDDINGS?|RERANK(?:ER)?)(?:_API)?"
    r"_(?:BASE|BASE_URL|ENDPOINT|HOST|URL))"
)
_REGION = re.compile(
    r"(?:AWS|S3|GCP|GOOGLE_CLOUD|CLOUDSDK_COMPUTE|BEDROCK)(?:_DEFAULT)?_(?:REGION|LOCATION|ZONE)"
)
"""A variable by which a cloud's libraries know the region to call."""
_OPTION = re.compile(
    r"--?(?:otlp|otel|remote-write|telemetry|tracing)[a-z._-]*(?:endpoint|url|address)(?:[= ](.+))?"
)
_STORES = ("endpointURL", "s3Url", "destinationPath")
"""Keys by which CloudNativePG and Velero name the store that has their backups."""
_EXPORTERS = "exporters"
"""Key under which a collector of OpenTelemetry has where it sends, by name."""
_ENDPOINT = re.compile(r"(?:[a-z]+_)?(?:endpoint|url|dsn)")
_TARGETS: Mapping[str, tuple[str, ...]] = {
    "clientConfig": ("url",),
    "webhookClientConfig": ("url",),
    "webhookConfigs": ("url",),
    "webhook_configs": ("url",),
    "logger": ("url",),
    "fqdn": ("hostname",),
    "sink": ("uri",),
    "deadLetterSink": ("uri",),
    "remoteWrite": ("url",),
    "remote_write": ("url",),
}
"""Keys of what objects, alerts, events, prompts and metrics are sent to, with those of its address.

They are of webhooks of the API server, of Alertmanager, KServe, Envoy's gateway, Knative and Prometheus."""
_TELEMETRY = ("telemetry", "tracing", "extensionProviders", "sinks", "webhook")
"""Keys of what is told to somebody, however deep his address is."""
_PLACE = re.compile(r"host|hostname|endpoint|url|uri|address|service|server", re.IGNORECASE)
"""Keys of such an address."""
_STEPS = ("serviceUrl",)
"""Keys of an address to which KServe sends what a step of a graph is asked."""
_NOTIFIED = (
    "generic",
    "generic-hmac",
    "alertmanager",
    "slack",
    "discord",
    "msteams",
    "rocket",
    "webex",
    "otel",
)
"""Types of providers of Flux that send alerts to `address`."""
_BUCKETS = ("bucket", "bucketName", "s3_bucket")
_STORE = re.compile(r"(?:s3[_-]?)?(?:endpoint(?:_?url)?|url|server_?url|host)", re.IGNORECASE)
"""Key beside a bucket's name by which it is said where the bucket is."""
_ANY_REGION = re.compile(r"(?:https://)?(?:s3\.amazonaws\.com|storage\.googleapis\.com)(?::443)?/?")
"""Names by which clouds have buckets of all their regions."""
_TEXTS = ("webhook_configs", "remote_write", "exporters:", "clientConfig", "clusters:", "bucket:")
"""Words of a document within text of which it is read."""
_LONGEST = 100_000
_WORLDWIDE = re.compile(
    r"\.(?:com|net|org|io|ai|dev|cloud|app|co|tech|info|biz|so|us|ca|uk|ch|cn|hk|jp|kr|in|sg|au|ru|br)$"
)
"""Ends of names of hosts that are of no state of the EU."""
_IN_EUROPE = ("cloud.langfuse.com",)
"""Sites of services in the EU whose names do not say so."""


@dataclass(frozen=True)
class Told:
    """What the properties of a resource tell programs about where to send, each with its path."""

    sinks: list[tuple[str, str]]
    """Addresses."""
    regions: list[tuple[str, str]]
    """Regions that libraries of a cloud call."""


def told(props: Mapping[str, Any]) -> Told:
    """All sinks and regions in the properties of a resource."""
    found = Told([], [])
    _collect(props, "", found)
    return found


def _collect(value: Any, path: str, found: Told) -> None:
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        name, own = fields.get("name"), fields.get("value")
        if isinstance(name, str) and isinstance(own, str) and name.isupper():
            if _VARIABLE.fullmatch(name):
                found.sinks.append((f"{path}.value", own))
            if _REGION.fullmatch(name) and is_region(own):
                found.regions.append((f"{path}.value", own))
        found.sinks.extend(_beside(fields, path))
        for key, item in fields.items():
            place = f"{path}.{key}" if path else key
            if isinstance(item, str):
                if key in _STORES or key in _STEPS or (key.isupper() and _VARIABLE.fullmatch(key)):
                    found.sinks.append((place, item))
                elif "\n" in item and len(item) <= _LONGEST and any(word in item for word in _TEXTS):
                    _collect(_document(item), place, found)
                continue
            if key == _EXPORTERS and isinstance(item, Mapping):
                found.sinks.extend(_exported(cast(Mapping[str, Any], item), place))
            if key in _TELEMETRY:
                found.sinks.extend(reached(item, place))
            if key in _TARGETS:
                found.sinks.extend(_written(item, place, _TARGETS[key]))
            _collect(item, place, found)
    elif isinstance(value, list):
        several = cast(list[Any], value)
        for index, item in enumerate(several):
            place = f"{path}.{index}"
            if not isinstance(item, str):
                _collect(item, place, found)
                continue
            match = _OPTION.fullmatch(item) if item.startswith("-") else None
            address = match and (match[1] or (several[index + 1] if index + 1 < len(several) else None))
            if isinstance(address, str):
                found.sinks.append((place, address))


def reached(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Addresses anywhere in what nothing but telemetry is in."""
    for place, one in walk(value, path):
        if isinstance(one, str) and _PLACE.fullmatch(place.rpartition(".")[2]):
            yield place, one


def _document(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _beside(fields: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Addresses that are ones of sinks by what stands beside them."""
    if fields.get("kind") == "Config" and isinstance(fields.get("clusters"), list):
        yield from _called(cast(list[Any], fields["clusters"]), path)
    if fields.get("addressType") == "FQDN":
        for one in cast(list[Any], fields.get("endpoints") or []):
            hosts: Any = cast(Mapping[str, Any], one).get("addresses") if isinstance(one, Mapping) else None
            yield from ((f"{path}.endpoints", str(host)) for host in hosts or ())
    address = fields.get("address")
    if fields.get("type") in _NOTIFIED and isinstance(address, str):
        yield f"{path}.address", address
    if not any(isinstance(fields.get(key), str) for key in _BUCKETS):
        return
    for key, value in fields.items():
        if isinstance(value, str) and _STORE.fullmatch(key):
            everywhere = _ANY_REGION.fullmatch(value.lower()) is not None
            if not everywhere or ("amazonaws" in value.lower() and not _has_region(fields)):
                yield f"{path}.{key}", value


def _has_region(fields: Mapping[str, Any]) -> bool:
    """Whether a region is stated, which another rule evaluates."""
    return any(is_region(str(value)) for key, value in fields.items() if key.lower().endswith("region"))


def _called(clusters: list[Any], path: str) -> Iterator[tuple[str, str]]:
    """Addresses of webhooks in a file of the form that clients of clusters have: those with a path."""
    for index, one in enumerate(clusters):
        holder: Any = cast(Mapping[str, Any], one).get("cluster") if isinstance(one, Mapping) else None
        server: Any = cast(Mapping[str, Any], holder).get("server") if isinstance(holder, Mapping) else None
        if isinstance(server, str) and urlsplit(server).path.strip("/").partition("/")[0] not in ("", "k8s"):
            yield f"{path}.clusters.{index}.cluster.server", server


def _written(targets: Any, path: str, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    several: list[Any] = cast(list[Any], targets) if isinstance(targets, list) else [targets]
    for one in several:
        for key in keys:
            address: Any = cast(Mapping[str, Any], one).get(key) if isinstance(one, Mapping) else None
            if isinstance(address, str):
                yield f"{path}.{key}", address


def _exported(exporters: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, one in exporters.items():
        for key, value in cast(Mapping[str, Any], one if isinstance(one, Mapping) else {}).items():
            if isinstance(value, str) and _ENDPOINT.fullmatch(key):
                yield f"{path}.{name}.{key}", value


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
