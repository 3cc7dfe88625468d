"""No foreign partition, endpoint or universe is named."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
from corral.controls.properties import leaves
from corral.controls.residency.subjects import bucket

_SUFFIXES = ("amazonaws.com.cn", "amazonaws.com", "amazonaws.eu", "sc2s.sgov.gov", "c2s.ic.gov")
_EUROPE = {"aws": "amazonaws.com", "aws-eusc": "amazonaws.eu"}
"""Partitions with regions in the EU, and their endpoints."""
_ARN = re.compile(r"(?<![A-Za-z0-9])arn:([a-z*-]*):")
_HOST = re.compile(
    r"(?:^|[/.\s@\"'])(?:[a-z0-9-]+\.)*(?:" + "|".join(map(re.escape, _SUFFIXES)) + r")(?![.A-Za-z0-9-])"
)


def _of(resource: Resource) -> Mapping[str, str]:
    """Partitions that a resource may name: its own where its region says which that is."""
    region: Any = resource.props.get("region") or resource.provider.get("region")
    if not isinstance(region, str):
        return _EUROPE
    own = "aws-eusc" if region.startswith("eusc-") else "aws"
    return {own: _EUROPE[own]}


def _partition(resource: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    partitions = _of(resource) if profile.partition is None else {profile.partition: profile.dns_suffix}
    for path, value in leaves(resource):
        if not isinstance(value, str):
            continue
        for match in _ARN.finditer(value) if "arn:" in value else ():
            if match[1] not in ("", "*", *partitions):
                yield f"`{path}` names partition {match[1]!r}, not {_words(partitions)} as the profile has"
        for match in _HOST.finditer(value) if "aws" in value or ".gov" in value else ():
            host = next(one for one in _SUFFIXES if match[0].endswith("." + one) or match[0].endswith(one))
            service = host == "amazonaws.com" and (
                _PRINCIPAL.fullmatch(value) or (_HOLDER.search(path) and _REGIONAL.fullmatch(value))
            )
            if host not in partitions.values() and not service:
                hosts = _words(partitions.values())
                yield f"`{path}` names an endpoint of {host!r}, not {hosts} as the profile has"
    universe = resource.provider.get("universeDomain")
    if universe is UNKNOWN:
        raise Undecided("the provider's `universeDomain` is not known yet")
    if universe is not None and profile.universe is not None and universe != profile.universe:
        yield f"universe {universe!r}; profile {profile.name} has {profile.universe!r}"


def _words(several: Iterable[str | None]) -> str:
    return " or ".join(repr(one) for one in several)


_PRINCIPAL = re.compile(r"[a-z0-9-]+\.amazonaws\.com")
"""Name of a service in a policy, the same in every partition of its kind."""
_REGIONAL = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\.amazonaws\.com")
"""The same with a region, which looks like an endpoint anywhere but where a policy names who may act."""
_HOLDER = re.compile(r"(?:^|\.)(?:Not)?Principal\.Service(?:\.\d+)?$")


_LOGS = "logs.eusc-de-east-1.amazonaws.com"
_POLICY = '{{"Resource": "arn:{0}:s3:::models/*"}}'


CONTROL = Control(
    id="SOV-RES-02",
    title="No foreign partition, endpoint or universe is named",
    severity=Severity.HIGH,
    sources=("SOV-2", "SOV-3"),
    remedy="Take partition and suffix from `aws.get_partition()`, never from a literal.",
    rule=ResourceRule(is_cloud, _partition),
    cases=(
        *(
            Case(
                f"a resource in {region} that names {partition}",
                verdict,
                bucket(region=region, policy=_POLICY.format(partition)),
            )
            for region, partition, verdict in (
                ("eusc-de-east-1", "aws-eusc", Verdict.GOOD),
                ("eusc-de-east-1", "aws", Verdict.BAD),
                ("eu-central-1", "aws-eusc", Verdict.BAD),
            )
        ),
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
            "China's partition, whichever region of the EU",
            Verdict.BAD,
            bucket(policy=_POLICY.format("aws-cn")),
        ),
        Case("either of the EU's", Verdict.GOOD, bucket(policy=_POLICY.format("aws-eusc"))),
        Case(
            "a foreign partition deep in a list",
            Verdict.BAD,
            Resource("aws:iam/role:Role", "r", {"managedPolicyArns": ["arn:aws:iam::aws:policy/X"]}),
            profile="eusc",
        ),
        Case(
            "a service as principal, the same everywhere",
            Verdict.GOOD,
            bucket(
                policy='{"Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}}]}'
            ),
            profile="eusc",
        ),
        *(
            Case(
                title,
                verdict,
                bucket(policy=json.dumps({"Statement": [{"Effect": "Allow", **holder}]})),
                profile="eusc",
            )
            for title, verdict, holder in (
                ("a service of a region as principal", Verdict.GOOD, {"Principal": {"Service": _LOGS}}),
                (
                    "several, as principals",
                    Verdict.GOOD,
                    {"Principal": {"Service": ["eks.amazonaws.com", _LOGS]}},
                ),
                ("the same name as a host", Verdict.BAD, {"Condition": {"StringEquals": {"host": _LOGS}}}),
            )
        ),
        Case(
            "a foreign endpoint within a text",
            Verdict.BAD,
            bucket(userData="curl https://s3.cn-north-1.amazonaws.com.cn/x"),
        ),
        Case(
            "a foreign universe",
            Verdict.BAD,
            Resource("gcp:storage/bucket:Bucket", "b", {}, provider={"universeDomain": "s3nsapis.fr"}),
            profile="gcp",
        ),
    ),
)
