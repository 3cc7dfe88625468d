"""No security group is open to the world."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_WORLD = ("0.0.0.0/0", "::/0")
_GROUPS = ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_FIREWALL = "gcp:compute/firewall:Firewall"
_LISTS = ("cidrBlocks", "ipv6CidrBlocks")


def _ranges(subject: Resource) -> Iterator[tuple[str, object]]:
    """Paths of source ranges, with what they hold."""
    if subject.type in _GROUPS:
        for index in range(len(subject.value("ingress", []))):
            for key in _LISTS:
                path = f"ingress.{index}.{key}"
                yield path, subject.value(path, [])
    elif subject.type == _RULE:
        if subject.value("type") == "ingress":
            for key in _LISTS:
                yield key, subject.value(key, [])
    elif subject.type == _INGRESS:
        for key in ("cidrIpv4", "cidrIpv6"):
            yield key, [subject.value(key)]
    elif subject.value("direction", "INGRESS") == "INGRESS" and subject.value("allows", []):
        yield "sourceRanges", subject.value("sourceRanges", [])


def _open(subject: Resource, profile: Profile) -> Iterator[str]:
    for path, ranges in _ranges(subject):
        for one in _WORLD:
            if isinstance(ranges, list) and one in ranges:
                yield f"`{path}` lets in {one}"


def _group(*ranges: object) -> Resource:
    return Resource(_GROUPS[0], "g", {"ingress": [{"fromPort": 22, "cidrBlocks": list(ranges)}]})


CONTROL = Control(
    id="SOV-NET-03",
    title="No security group is open to the world",
    severity=Severity.CRITICAL,
    sources=("CIS AWS 5.2", "CKV_AWS_24"),
    remedy="Name the networks or security groups that may come in.",
    rule=ResourceRule(lambda token: token in (*_GROUPS, _RULE, _INGRESS, _FIREWALL), _open),
    cases=(
        Case("from a private network", Verdict.GOOD, _group("10.0.0.0/8")),
        Case("from anywhere", Verdict.BAD, _group("0.0.0.0/0")),
        Case("from anywhere beside a private network", Verdict.BAD, _group("10.0.0.0/8", "0.0.0.0/0")),
        Case("not known yet", Verdict.UNDECIDED, Resource(_GROUPS[0], "g", {"ingress": UNKNOWN})),
        Case(
            "a rule of its own, to anywhere",
            Verdict.GOOD,
            Resource(_RULE, "r", {"type": "egress", "cidrBlocks": ["0.0.0.0/0"]}),
        ),
        Case(
            "a rule of its own, from anywhere",
            Verdict.BAD,
            Resource(_RULE, "r", {"type": "ingress", "ipv6CidrBlocks": ["::/0"]}),
        ),
        Case("an ingress rule", Verdict.BAD, Resource(_INGRESS, "r", {"cidrIpv4": "0.0.0.0/0"})),
        Case(
            "Google, from anywhere",
            Verdict.BAD,
            Resource(_FIREWALL, "f", {"allows": [{"protocol": "tcp"}], "sourceRanges": ["0.0.0.0/0"]}),
        ),
        Case(
            "Google, a refusal from anywhere",
            Verdict.GOOD,
            Resource(_FIREWALL, "f", {"denies": [{"protocol": "all"}], "sourceRanges": ["0.0.0.0/0"]}),
        ),
    ),
)
