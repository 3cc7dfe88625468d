"""Nothing goes out to the world."""

from collections.abc import Iterator, Mapping

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.network.world import world
from corral.controls.profiles import Profile

_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_FIREWALL = "gcp:compute/firewall:Firewall"
_PATHS: Mapping[str, tuple[str, ...]] = {
    _GROUP: ("egress.cidrBlocks", "egress.ipv6CidrBlocks"),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ("egress.cidrBlocks", "egress.ipv6CidrBlocks"),
    _RULE: ("cidrBlocks", "ipv6CidrBlocks"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": ("cidrIpv4", "cidrIpv6"),
    _FIREWALL: ("destinationRanges",),
}


def _leaves(subject: Resource) -> bool:
    if subject.type == _RULE:
        return subject.value("type") == "egress"
    if subject.type == _FIREWALL:
        return subject.value("direction") == "EGRESS" and bool(subject.value("allows", []))
    return True


def _out(subject: Resource, profile: Profile) -> Iterator[str]:
    if not _leaves(subject):
        return
    values = [(path, value) for path in _PATHS[subject.type] for value in subject.values(path)]
    if subject.type == _FIREWALL and not any(value not in (None, "") for _, value in values):
        yield "`destinationRanges` is absent, so it lets out to anywhere"
    for path, value in values:
        if value is not UNKNOWN and world(value):
            yield f"`{path}` lets out to {value}"
    if any(value is UNKNOWN for _, value in values):
        raise Undecided("where it lets out to is not known yet")


def _group(*ranges: object) -> Resource:
    return Resource(_GROUP, "g", {"egress": [{"protocol": "-1", "cidrBlocks": list(ranges)}]})


CONTROL = Control(
    id="SOV-NET-04",
    title="Nothing goes out to the world",
    severity=Severity.HIGH,
    sources=("SOV-3", "NIS2 6.7"),
    remedy="Name the networks, prefix lists and endpoints that may be reached.",
    rule=ResourceRule(lambda token: token in _PATHS, _out),
    cases=(
        Case("to a private network", Verdict.GOOD, _group("10.0.0.0/8")),
        Case("to anywhere", Verdict.BAD, _group("0.0.0.0/0")),
        Case("not known yet", Verdict.UNDECIDED, _group(UNKNOWN)),
        Case(
            "a rule of its own, to anywhere",
            Verdict.BAD,
            Resource(_RULE, "r", {"type": "egress", "cidrBlocks": ["0.0.0.0/0"]}),
        ),
        Case(
            "a rule of its own, from anywhere",
            Verdict.GOOD,
            Resource(_RULE, "r", {"type": "ingress", "cidrBlocks": ["0.0.0.0/0"]}),
        ),
        Case(
            "Google, to anywhere",
            Verdict.BAD,
            Resource(
                _FIREWALL,
                "f",
                {"direction": "EGRESS", "allows": [{"protocol": "all"}], "destinationRanges": ["0.0.0.0/0"]},
            ),
        ),
        Case(
            "Google, nothing said of where to",
            Verdict.BAD,
            Resource(_FIREWALL, "f", {"direction": "EGRESS", "allows": [{"protocol": "all"}]}),
        ),
    ),
)
