"""How a perimeter of VPC Service Controls, or a level of access to it, lets anybody through."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN, Case, Resource, Undecided, Verdict
from corral.controls.network.world import world
from corral.controls.settings import true

Fields = Mapping[str, Any]
PERIMETERS = "gcp:accesscontextmanager/"
"""Beginning of the types of these."""
_ANYBODY = ("ANY_IDENTITY", "ANY_USER_ACCOUNT", "ANY_SERVICE_ACCOUNT")
_DRY = "spec"
"""Key of what a perimeter would do, and is only reported."""
_HALVES = frozenset({"0.0.0.0/1", "128.0.0.0/1"})
_NARROWER = ("members", "devicePolicy", "requiredAccessLevels", "vpcNetworkSources")
"""What a condition of a level demands beside addresses."""


def let_through(value: Any, path: str = "") -> Iterator[str]:
    """What is wrong with a perimeter, a part of one, or a level.

    Raises:
        Undecided: who is let through is not known yet.
    """
    if isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            yield from let_through(item, f"{path}.{index}")
        return
    if not isinstance(value, Mapping):
        return
    fields = cast(Fields, value)
    yield from _here(fields, path.strip("."))
    for key, item in fields.items():
        if key != _DRY:
            yield from let_through(item, f"{path}.{key}")


def _here(fields: Fields, path: str) -> Iterator[str]:
    incoming, outgoing = fields.get("ingressFrom"), fields.get("egressFrom")
    target = fields.get("egressTo")
    if isinstance(incoming, Mapping) and _anybody(incoming) and _anywhere(incoming):
        yield f"`{path or 'ingressFrom'}` lets anybody in from anywhere"
    if isinstance(target, Mapping) and _any_project(target) and (outgoing is None or _anybody(outgoing)):
        yield f"`{path or 'egressTo'}` lets anybody take data to any project"
    if true(fields.get("useExplicitDryRunSpec")) and not fields.get("status"):
        yield "`status` is absent, so what the perimeter keeps is only reported"
    subnets = fields.get("ipSubnetworks")
    if subnets is UNKNOWN:
        raise Undecided("`ipSubnetworks` is not known yet")
    ranges = [] if true(fields.get("negate")) or _narrowed(fields) else _listed(subnets)
    if any(world(one) for one in ranges) or set(ranges) >= _HALVES:
        yield f"`{path}.ipSubnetworks` has every address, so anybody is let in"
    if str(fields.get("expr")).strip().lower() == "true":
        yield f"`{path}.expr` is true, so anybody is let in"


def _listed(value: Any) -> list[str]:
    return [str(one) for one in cast(list[Any], value)] if isinstance(value, list) else []


def _narrowed(fields: Fields) -> bool:
    return any(fields.get(key) for key in _NARROWER)


def _anybody(source: Any) -> bool:
    fields: Fields = cast(Fields, source) if isinstance(source, Mapping) else {}
    if fields.get("identityType") is UNKNOWN:
        raise Undecided("`identityType` is not known yet")
    return str(fields.get("identityType")).upper() in _ANYBODY


def _anywhere(source: Any) -> bool:
    sources: Any = cast(Fields, source).get("sources")
    several = cast(list[Any], sources) if isinstance(sources, list) else []
    return any(isinstance(one, Mapping) and cast(Fields, one).get("accessLevel") == "*" for one in several)


def _any_project(target: Any) -> bool:
    fields = cast(Fields, target)
    return "*" in (*_listed(fields.get("resources")), *_listed(fields.get("externalResources")))


_PERIMETER = f"{PERIMETERS}servicePerimeter:ServicePerimeter"
_LEVEL = f"{PERIMETERS}accessLevel:AccessLevel"
_ALL = {"operations": [{"serviceName": "*"}], "resources": ["*"]}


def _level(**condition: Any) -> Resource:
    return Resource(_LEVEL, "l", {"basic": {"conditions": [condition]}})


def _incoming(identity: Any, level: str) -> Resource:
    rule = {
        "ingressFrom": {"identityType": identity, "sources": [{"accessLevel": level}]},
        "ingressTo": _ALL,
    }
    return Resource(_PERIMETER, "p", {"status": {"ingressPolicies": [rule]}})


def _outgoing(project: str, source: Fields) -> Resource:
    rule = {"egressFrom": source, "egressTo": {**_ALL, "resources": [project]}}
    return Resource(_PERIMETER, "p", {"status": {"egressPolicies": [rule]}})


_ONE = {"identities": ["serviceAccount:a@p.iam.gserviceaccount.com"]}
_PUBLIC = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}'
CASES = (
    *(
        Case(title, verdict, Resource(f"kubernetes:{token}", "r", {"spec": spec}))
        for title, verdict, token, spec in (
            (
                "a bucket of anybody's by ACK",
                Verdict.BAD,
                "s3.services.k8s.aws/v1alpha1:Bucket",
                {"policy": _PUBLIC},
            ),
            (
                "a bucket of anybody's by Crossplane",
                Verdict.BAD,
                "s3.aws.upbound.io/v1beta1:BucketPolicy",
                {"forProvider": {"policy": _PUBLIC}},
            ),
            (
                "a grant to anybody by Config Connector",
                Verdict.BAD,
                "iam.cnrm.cloud.google.com/v1beta1:IAMPolicyMember",
                {"member": "allUsers", "role": "roles/storage.objectViewer"},
            ),
            (
                "a grant to one by Config Connector",
                Verdict.GOOD,
                "iam.cnrm.cloud.google.com/v1beta1:IAMPolicyMember",
                {"member": "group:a@example.eu", "role": "roles/storage.objectViewer"},
            ),
            (
                "a bucket of one's own by ACK",
                Verdict.GOOD,
                "s3.services.k8s.aws/v1alpha1:Bucket",
                {"name": "b"},
            ),
        )
    ),
    *(
        Case(title, verdict, subject)
        for title, verdict, subject in (
            ("a perimeter that anybody enters from anywhere", Verdict.BAD, _incoming("ANY_IDENTITY", "*")),
            ("one that anybody enters by a level", Verdict.GOOD, _incoming("ANY_IDENTITY", "levels/office")),
            ("one that some enter from anywhere", Verdict.GOOD, _incoming(None, "*")),
            ("who enters is not known yet", Verdict.UNDECIDED, _incoming(UNKNOWN, "*")),
            (
                "a perimeter that anybody leaves for anywhere",
                Verdict.BAD,
                _outgoing("*", {"identityType": "ANY_IDENTITY"}),
            ),
            (
                "one that anybody leaves for one project",
                Verdict.GOOD,
                _outgoing("projects/1", {"identityType": "ANY_IDENTITY"}),
            ),
            ("one that a job leaves for anywhere", Verdict.GOOD, _outgoing("*", _ONE)),
            (
                "a rule apart",
                Verdict.BAD,
                Resource(
                    f"{PERIMETERS}servicePerimeterEgressPolicy:ServicePerimeterEgressPolicy",
                    "p",
                    {"egressFrom": {"identityType": "ANY_USER_ACCOUNT"}, "egressTo": _ALL},
                ),
            ),
            (
                "a perimeter that only reports",
                Verdict.BAD,
                Resource(_PERIMETER, "p", {"useExplicitDryRunSpec": True, "spec": {}}),
            ),
            (
                "one that reports on the next, too",
                Verdict.GOOD,
                Resource(
                    _PERIMETER,
                    "p",
                    {"useExplicitDryRunSpec": True, "spec": {}, "status": {"restrictedServices": ["a"]}},
                ),
            ),
            ("a level of every address", Verdict.BAD, _level(ipSubnetworks=["0.0.0.0/0"])),
            ("a level of both halves", Verdict.BAD, _level(ipSubnetworks=["0.0.0.0/1", "128.0.0.0/1"])),
            ("a level of one network", Verdict.GOOD, _level(ipSubnetworks=["198.51.100.0/24"])),
            (
                "a level of some from every address",
                Verdict.GOOD,
                _level(ipSubnetworks=["0.0.0.0/0"], members=["user:a@example.eu"]),
            ),
            ("a level of no address", Verdict.GOOD, _level(ipSubnetworks=["::/0"], negate=True)),
            ("addresses not known yet", Verdict.UNDECIDED, _level(ipSubnetworks=UNKNOWN)),
            (
                "a level that is always true",
                Verdict.BAD,
                Resource(_LEVEL, "l", {"custom": {"expr": {"expr": "true"}}}),
            ),
        )
    ),
)
"""Cases of the control that these belong to."""
