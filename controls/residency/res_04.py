"""No replica, copy or key is in a region outside the profile."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.cloud import is_cloud
from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_KEYS = frozenset({"region", "regionName", "replicaRegion", "location", "kmsKeyRegion"})
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d|[a-z]+-[a-z]+\d+|us|asia|global")
_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:([a-z0-9-]+):\d*:\S+")
_GOOGLE_KEY = re.compile(r"projects/[^/]+/locations/([^/]+)/keyRings/.+")


def _places(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Paths of regions below the first level, and of regions within ARNs and names of keys at any."""
    if isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            inner = f"{path}.{key}" if path else key
            if path and key in _KEYS and isinstance(item, str) and _REGION.fullmatch(item.lower()):
                yield inner, item.lower()
            yield from _places(item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            yield from _places(item, f"{path}.{index}")
    elif isinstance(value, str):
        for pattern in (_ARN, _GOOGLE_KEY):
            match = pattern.fullmatch(value)
            if match:
                yield path, match[1]


def _inside(subject: Resource, profile: Profile) -> Iterator[str]:
    for path, region in _places(subject.props, ""):
        if not profile.holds(region):
            yield f"`{path}` is in {region}, outside profile {profile.name}"


def _resource(**props: Any) -> Resource:
    return Resource("aws:dynamodb/table:Table", "t", props)


CONTROL = Control(
    id="SOV-RES-04",
    title="No replica, copy or key is in a region outside the profile",
    severity=Severity.CRITICAL,
    sources=("SOV-3", "DORA 30"),
    remedy="Keep replicas, copies and keys in the profile's regions.",
    rule=ResourceRule(is_cloud, _inside),
    cases=(
        Case("a replica inside", Verdict.GOOD, _resource(replicas=[{"regionName": "eu-west-1"}])),
        Case("a replica outside", Verdict.BAD, _resource(replicas=[{"regionName": "us-east-1"}])),
        Case("a secret's replica", Verdict.BAD, _resource(replicas=[{"region": "us-east-1"}])),
        Case(
            "a registry's replica",
            Verdict.BAD,
            _resource(replicationConfiguration={"rules": [{"destinations": [{"region": "us-east-1"}]}]}),
        ),
        Case(
            "a copy to a vault inside",
            Verdict.GOOD,
            _resource(destinationVaultArn="arn:aws:backup:eu-west-1:123456789012:backup-vault:v"),
        ),
        Case(
            "a copy to a vault outside",
            Verdict.BAD,
            _resource(destinationVaultArn="arn:aws:backup:us-east-1:123456789012:backup-vault:v"),
        ),
        Case("an ARN without a region", Verdict.GOOD, _resource(bucket="arn:aws:s3:::models")),
        Case("a location that is an address", Verdict.GOOD, _resource(a={"location": "s3://models"})),
        Case(
            "a key of Google's outside",
            Verdict.BAD,
            _resource(kmsKeyName="projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"),
        ),
        Case(
            "anywhere in profile open",
            Verdict.GOOD,
            _resource(replicas=[{"region": "us-east-1"}]),
            profile="open",
        ),
    ),
)
