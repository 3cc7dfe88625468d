"""Resources lie where the profile says, by exact sets and partitions."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.cloud import is_cloud
from corral.controls.control import (
    UNKNOWN,
    Case,
    Control,
    Resource,
    ResourceRule,
    Severity,
    Undecided,
    Verdict,
)
from corral.controls.profiles import Profile

_PLACES = ("region", "location", "zone", "availabilityZone")


def _region(resource: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    stated = [(key, resource.value(key)) for key in _PLACES if resource.value(key) is not None]
    if not stated:
        for key in ("region", "zone"):
            found = resource.provider.get(key)
            if found is UNKNOWN:
                raise Undecided(f"the provider's `{key}` is not known yet")
            if found is not None:
                stated.append((f"provider {key}", found))
    for key, place in stated:
        if not profile.holds(str(place).lower()):
            yield f"{key} {place!r} lies outside profile {profile.name}"
    if not stated and resource.provider:
        yield f"neither the resource nor its provider names a region, so profile {profile.name} cannot hold"


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            yield from _strings(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            yield from _strings(item, f"{path}.{index}")


_SUFFIXES = ("amazonaws.com.cn", "amazonaws.com", "amazonaws.eu")


def _partition(resource: Resource, profile: Profile) -> Iterator[str]:
    for path, said in _strings(resource.props, ""):
        for piece in said.replace('"', " ").replace(",", " ").split():
            if piece.startswith("arn:") and profile.partition is not None:
                found = piece.split(":")[1]
                if found not in ("", "*", profile.partition):
                    yield f"`{path}` names partition {found!r}, not {profile.partition!r} as the profile has"
            host = next((s for s in _SUFFIXES if piece.rstrip("/").endswith("." + s)), None)
            if host is not None and profile.dns_suffix is not None and host != profile.dns_suffix:
                yield f"`{path}` names an endpoint of {host!r}, not {profile.dns_suffix!r} as the profile has"
    universe = resource.provider.get("universeDomain")
    if universe is UNKNOWN:
        raise Undecided("the provider's `universeDomain` is not known yet")
    if universe is not None and profile.universe is not None and universe != profile.universe:
        yield f"universe {universe!r}; profile {profile.name} has {profile.universe!r}"


def _bucket(**props: Any) -> Resource:
    return Resource("aws:s3/bucket:Bucket", "models", props)


RES_01 = Control(
    id="SOV-RES-01",
    title="Every resource lies in a region of the profile",
    severity=Severity.CRITICAL,
    sources=("SOV-3", "GDPR 44"),
    remedy="Set `region` to one of the profile's regions, on the provider or on the resource.",
    rule=ResourceRule(is_cloud, _region),
    cases=(
        Case("in the set", Verdict.GOOD, _bucket(region="eu-central-1")),
        Case("in the sovereign cloud", Verdict.GOOD, _bucket(region="eusc-de-east-1")),
        Case("a zone of the set", Verdict.GOOD, _bucket(availabilityZone="eu-central-1a")),
        Case(
            "a Google zone of the set",
            Verdict.GOOD,
            Resource("gcp:container/nodePool:NodePool", "p", {"location": "europe-west4-b"}),
        ),
        Case("London looks European", Verdict.BAD, _bucket(region="eu-west-2")),
        Case("Zurich looks European", Verdict.BAD, _bucket(region="eu-central-2")),
        Case(
            "Google's London",
            Verdict.BAD,
            Resource("gcp:storage/bucket:Bucket", "b", {"location": "EUROPE-WEST2"}),
        ),
        Case(
            "a resource's own region wins over its provider's",
            Verdict.BAD,
            Resource(
                "aws:s3/bucket:Bucket", "b", {"region": "us-east-1"}, provider={"region": "eu-central-1"}
            ),
        ),
        Case(
            "the provider's region",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {}, provider={"region": "us-east-1"}),
        ),
        Case(
            "nobody names a region",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {}, provider={"profile": "x"}),
        ),
        Case("not known before the update", Verdict.UNDECIDED, _bucket(region=UNKNOWN)),
        Case("anywhere in profile open", Verdict.GOOD, _bucket(region="us-east-1"), profile="open"),
    ),
)

_POLICY = '{{"Resource": "arn:{0}:s3:::models/*"}}'
RES_02 = Control(
    id="SOV-RES-02",
    title="No foreign partition, endpoint or universe is named",
    severity=Severity.HIGH,
    sources=("SOV-2", "SOV-3"),
    remedy="Take partition and suffix from `aws.get_partition()`, never from a literal.",
    rule=ResourceRule(is_cloud, _partition),
    cases=(
        Case("its own partition", Verdict.GOOD, _bucket(policy=_POLICY.format("aws-eusc")), profile="eusc"),
        Case(
            "a foreign partition in a policy",
            Verdict.BAD,
            _bucket(policy=_POLICY.format("aws")),
            profile="eusc",
        ),
        Case(
            "a foreign endpoint",
            Verdict.BAD,
            _bucket(endpoint="s3.eu-central-1.amazonaws.com"),
            profile="eusc",
        ),
        Case(
            "its own endpoint",
            Verdict.GOOD,
            _bucket(endpoint="s3.eusc-de-east-1.amazonaws.eu"),
            profile="eusc",
        ),
        Case(
            "a name that only ends alike", Verdict.GOOD, _bucket(endpoint="notamazonaws.com"), profile="eusc"
        ),
        Case(
            "a foreign universe",
            Verdict.BAD,
            Resource("gcp:storage/bucket:Bucket", "b", {}, provider={"universeDomain": "s3nsapis.fr"}),
            profile="gcp",
        ),
    ),
)

CONTROLS = (RES_01, RES_02)
