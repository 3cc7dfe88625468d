"""No foreign partition, endpoint or universe is named."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.cloud import is_cloud
from corral.controls.control import (
    UNKNOWN,
    Case,
    Control,
    Resource,
    ResourceRule,
    Undecided,
    Verdict,
)
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.residency.subjects import bucket


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


_POLICY = '{{"Resource": "arn:{0}:s3:::models/*"}}'


CONTROL = Control(
    id="SOV-RES-02",
    title="No foreign partition, endpoint or universe is named",
    severity=Severity.HIGH,
    sources=("SOV-2", "SOV-3"),
    remedy="Take partition and suffix from `aws.get_partition()`, never from a literal.",
    rule=ResourceRule(is_cloud, _partition),
    cases=(
        Case("its own partition", Verdict.GOOD, bucket(policy=_POLICY.format("aws-eusc")), profile="eusc"),
        Case(
            "a foreign partition in a policy",
            Verdict.BAD,
            bucket(policy=_POLICY.format("aws")),
            profile="eusc",
        ),
        Case(
            "a foreign endpoint",
            Verdict.BAD,
            bucket(endpoint="s3.eu-central-1.amazonaws.com"),
            profile="eusc",
        ),
        Case(
            "its own endpoint",
            Verdict.GOOD,
            bucket(endpoint="s3.eusc-de-east-1.amazonaws.eu"),
            profile="eusc",
        ),
        Case(
            "a name that only ends alike", Verdict.GOOD, bucket(endpoint="notamazonaws.com"), profile="eusc"
        ),
        Case(
            "a foreign universe",
            Verdict.BAD,
            Resource("gcp:storage/bucket:Bucket", "b", {}, provider={"universeDomain": "s3nsapis.fr"}),
            profile="gcp",
        ),
    ),
)
