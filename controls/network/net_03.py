"""Nothing is open to the world."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.network.world import world
from corral.controls.profiles import Profile
from corral.controls.settings import Table, false, limited, missing, needed

_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_FIREWALL = "gcp:compute/firewall:Firewall"
_FIREWALL_RULES = tuple(
    f"gcp:compute/{kind[0].lower() + kind[1:]}:{kind}"
    for kind in (
        "FirewallPolicyRule",
        "NetworkFirewallPolicyRule",
        "RegionNetworkFirewallPolicyRule",
        "NetworkFirewallPolicyWithRules",
        "FirewallPolicyWithRules",
    )
)


@dataclass(frozen=True)
class _Sources:
    """Where a type states who may come in."""

    paths: tuple[str, ...]
    only: tuple[str, str, str] | None = None
    """(property, value, its default): the rule is about entering where the property has the value."""
    allows: str | None = None
    """Property that is there where the rule lets in, and does not keep out."""


_INLINE = ("ingress.cidrBlocks", "ingress.ipv6CidrBlocks")
_SOURCES: Mapping[str, _Sources] = {
    _GROUP: _Sources(_INLINE),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _Sources(_INLINE),
    _RULE: _Sources(("cidrBlocks", "ipv6CidrBlocks"), only=("type", "ingress", "")),
    _INGRESS: _Sources(("cidrIpv4", "cidrIpv6")),
    "aws:rds/securityGroup:SecurityGroup": _Sources(("ingress.cidr",)),
    _FIREWALL: _Sources(("sourceRanges",), only=("direction", "INGRESS", "INGRESS"), allows="allows"),
    **dict.fromkeys(
        _FIREWALL_RULES[:3], _Sources(("match.srcIpRanges",), only=("direction", "INGRESS", "INGRESS"))
    ),
    **dict.fromkeys(_FIREWALL_RULES[3:], _Sources(("rules.match.srcIpRanges",))),
    "gcp:container/cluster:Cluster": _Sources(("masterAuthorizedNetworksConfig.cidrBlocks.cidrBlock",)),
    "gcp:sql/databaseInstance:DatabaseInstance": _Sources(
        ("settings.ipConfiguration.authorizedNetworks.value",)
    ),
    "gcp:alloydb/instance:Instance": _Sources(("networkConfig.authorizedExternalNetworks.cidrRange",)),
}
_PUBLIC = "is true, so it has an address that anybody reaches"
_ACCESSIBLE = (limited("publiclyAccessible", false, _PUBLIC),)
_SWITCHES: Table = {
    **{
        f"aws:{token}": _ACCESSIBLE
        for token in (
            "rds/instance:Instance",
            "rds/clusterInstance:ClusterInstance",
            "rds/cluster:Cluster",
            "docdb/clusterInstance:ClusterInstance",
            "neptune/clusterInstance:ClusterInstance",
            "redshift/cluster:Cluster",
            "redshiftserverless/workgroup:Workgroup",
            "mq/broker:Broker",
            "dms/replicationInstance:ReplicationInstance",
            "timestreaminfluxdb/dbInstance:DbInstance",
            "timestreaminfluxdb/dbCluster:DbCluster",
            "lightsail/database:Database",
        )
    },
    "aws:neptunegraph/graph:Graph": (limited("publicConnectivity", false, _PUBLIC),),
    "aws:msk/cluster:Cluster": (
        limited(
            "brokerNodeGroupInfo.connectivityInfo.publicAccess.type",
            lambda one: one == "DISABLED",
            "is not DISABLED",
        ),
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        needed("settings.ipConfiguration.ipv4Enabled", false, "is not false (absent means a public address)"),
    ),
    "gcp:alloydb/instance:Instance": (limited("networkConfig.enablePublicIp", false, _PUBLIC),),
    "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint": (limited("publicEndpointEnabled", false, _PUBLIC),),
}


def _open(subject: Resource, profile: Profile) -> Iterator[str]:
    sources = _SOURCES.get(subject.type)
    undecided = ""
    if sources is not None and _enters(subject, sources):
        values = [(path, value) for path in sources.paths for value in subject.values(path)]
        for path, value in values:
            if value is not UNKNOWN and world(value):
                yield f"`{path}` lets in {value}"
        if any(value is UNKNOWN for _, value in values):
            undecided = "who may come in is not known yet"
        if subject.type == _FIREWALL and not _names_sources(subject):
            yield "`sourceRanges` is absent and nothing else names a source, so anybody comes in"
    yield from missing(_SWITCHES.get(subject.type, ()), subject)
    if undecided:
        raise Undecided(undecided)


def _enters(subject: Resource, sources: _Sources) -> bool:
    if sources.only is not None:
        key, value, default = sources.only
        if subject.value(key, default) != value:
            return False
    if subject.value("action", "allow") in ("deny", "goto_next"):
        return False
    return sources.allows is None or bool(subject.value(sources.allows, []))


def _names_sources(firewall: Resource) -> bool:
    return any(firewall.props.get(key) for key in ("sourceRanges", "sourceTags", "sourceServiceAccounts"))


def _group(*ranges: object) -> Resource:
    return Resource(_GROUP, "g", {"ingress": [{"fromPort": 22, "cidrBlocks": list(ranges)}]})


def _wall(**props: object) -> Resource:
    return Resource(_FIREWALL, "f", {"allows": [{"protocol": "tcp"}], **props})


_DATABASE = "aws:rds/instance:Instance"
_SQL = "gcp:sql/databaseInstance:DatabaseInstance"

CONTROL = Control(
    id="SOV-NET-03",
    title="Nothing is open to the world",
    severity=Severity.CRITICAL,
    sources=("CIS AWS 5.2", "CKV_AWS_24"),
    remedy="Name the networks or security groups that may come in; keep databases without public addresses.",
    rule=ResourceRule(lambda token: token in _SOURCES or token in _SWITCHES, _open),
    cases=(
        Case("from a private network", Verdict.GOOD, _group("10.0.0.0/8")),
        Case("from anywhere", Verdict.BAD, _group("0.0.0.0/0")),
        Case("from anywhere beside a private network", Verdict.BAD, _group("10.0.0.0/8", "0.0.0.0/0")),
        Case("from either half of the internet", Verdict.BAD, _group("0.0.0.0/1", "128.0.0.0/1")),
        Case("from anywhere, spelled otherwise", Verdict.BAD, _group("10.1.2.3/0")),
        Case("not known yet", Verdict.UNDECIDED, Resource(_GROUP, "g", {"ingress": UNKNOWN})),
        Case("from anywhere beside what is not known yet", Verdict.BAD, _group("0.0.0.0/0", UNKNOWN)),
        Case(
            "out to anywhere",
            Verdict.GOOD,
            Resource(_GROUP, "g", {"egress": [{"cidrBlocks": ["0.0.0.0/0"]}]}),
        ),
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
        Case("an ingress rule of IPv6", Verdict.BAD, Resource(_INGRESS, "r", {"cidrIpv6": "0::/0"})),
        Case("Google, from anywhere", Verdict.BAD, _wall(sourceRanges=["0.0.0.0/0"])),
        Case("Google, from nobody in particular", Verdict.BAD, _wall()),
        Case("Google, from machines with a tag", Verdict.GOOD, _wall(sourceTags=["gateway"])),
        Case(
            "Google, a refusal from anywhere",
            Verdict.GOOD,
            Resource(_FIREWALL, "f", {"denies": [{"protocol": "all"}], "sourceRanges": ["0.0.0.0/0"]}),
        ),
        *(
            Case(
                f"Google, a rule of a policy that {action}s",
                verdict,
                Resource(
                    _FIREWALL_RULES[1],
                    "r",
                    {"direction": "INGRESS", "action": action, "match": {"srcIpRanges": ["0.0.0.0/0"]}},
                ),
            )
            for action, verdict in (("allow", Verdict.BAD), ("deny", Verdict.GOOD))
        ),
        Case("a public database", Verdict.BAD, Resource(_DATABASE, "d", {"publiclyAccessible": True})),
        Case("a database of which nothing is said", Verdict.GOOD, Resource(_DATABASE, "d", {})),
        Case("Google, a public database", Verdict.BAD, Resource(_SQL, "d", {"settings": {"tier": "x"}})),
        Case(
            "Google, a private database",
            Verdict.GOOD,
            Resource(_SQL, "d", {"settings": {"ipConfiguration": {"ipv4Enabled": False}}}),
        ),
        Case(
            "Google, a cluster's API for anybody",
            Verdict.BAD,
            Resource(
                "gcp:container/cluster:Cluster",
                "c",
                {"masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "0.0.0.0/0"}]}},
            ),
        ),
    ),
)
