"""Nothing is open to the world."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.network.world import world
from corral.controls.profiles import Profile
from corral.controls.settings import Table, false, limited, missing, needed, true

_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_LIST_RULE = "aws:ec2/networkAclRule:NetworkAclRule"
_LISTS = (_LIST_RULE, "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl")
_ADMINISTRATION = (22, 3389)
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
    "aws:ec2/managedPrefixList:ManagedPrefixList": _Sources(("entries.cidr",)),
    "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry": _Sources(("cidr",)),
    _FIREWALL: _Sources(("sourceRanges",), only=("direction", "INGRESS", "INGRESS"), allows="allows"),
    **dict.fromkeys(
        _FIREWALL_RULES[:3], _Sources(("match.srcIpRanges",), only=("direction", "INGRESS", "INGRESS"))
    ),
    **dict.fromkeys(_FIREWALL_RULES[3:], _Sources(("rules.match.srcIpRanges",))),
    "gcp:container/cluster:Cluster": _Sources(("masterAuthorizedNetworksConfig.cidrBlocks.cidrBlock",)),
    "gcp:sql/databaseInstance:DatabaseInstance": _Sources(
        ("settings.ipConfiguration.authorizedNetworks.value",)
    ),
    "gcp:composer/environment:Environment": _Sources(
        ("config.webServerNetworkAccessControl.allowedIpRanges.value",)
    ),
    "aws:lightsail/instancePublicPorts:InstancePublicPorts": _Sources(
        ("portInfos.cidrs", "portInfos.ipv6Cidrs")
    ),
    "gcp:alloydb/instance:Instance": _Sources(("networkConfig.authorizedExternalNetworks.cidrRange",)),
}
_PUBLIC = "is true, so it has an address that anybody reaches"
_BALANCER = "is not true, so the load balancer has an address that anybody reaches"
_INSIDE = ("INTERNAL", "INTERNAL_MANAGED", "INTERNAL_SELF_MANAGED")
_OUTSIDE = "has an address that anybody reaches"
_NODES = "aws:eks/nodeGroup:NodeGroup"
_GATEWAY = "gateway"
"""A load balancer for appliances has no address of its own."""
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
    **{
        f"aws:{token}": (needed("internal", true, _BALANCER),)
        for token in (
            "lb/loadBalancer:LoadBalancer",
            "alb/loadBalancer:LoadBalancer",
            "elb/loadBalancer:LoadBalancer",
        )
    },
    **{
        f"gcp:compute/{token}": (
            needed(
                "loadBalancingScheme", lambda one: one in (*_INSIDE, ""), f"is not internal: it {_OUTSIDE}"
            ),
        )
        for token in ("forwardingRule:ForwardingRule", "globalForwardingRule:GlobalForwardingRule")
    },
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
    if subject.type in _LISTS:
        yield from _administered(subject)
    # https://docs.aws.amazon.com/eks/latest/APIReference/API_RemoteAccessConfig.html
    if (
        subject.type == _NODES
        and subject.value("remoteAccess.ec2SshKey")
        and not subject.value("remoteAccess.sourceSecurityGroupIds", [])
    ):
        yield "`remoteAccess` names no `sourceSecurityGroupIds`, so EKS opens port 22 to 0.0.0.0/0"
    if subject.props.get("loadBalancerType") != _GATEWAY:
        yield from missing(_SWITCHES.get(subject.type, ()), subject)
    if undecided:
        raise Undecided(undecided)


def _administered(subject: Resource) -> Iterator[str]:
    """Rules of a network's list that let anybody in to where machines are administered."""
    rules = [subject.props] if subject.type == _LIST_RULE else subject.value("ingress", [])
    for rule in rules:
        one = Resource(subject.type, subject.name, rule)
        allows = one.value("action", one.value("ruleAction")) == "allow" and not one.value("egress", False)
        ranges = [one.value(key) for key in ("cidrBlock", "ipv6CidrBlock")]
        if allows and any(cidr is not None and world(cidr) for cidr in ranges) and _covers(one):
            yield "a rule lets anybody in to ports by which machines are administered"


def _covers(rule: Resource) -> bool:
    if str(rule.value("protocol", "-1")) in ("-1", "all"):
        return True
    first, last = int(rule.value("fromPort", 0)), int(rule.value("toPort", 65_535))
    return any(first <= port <= last for port in _ADMINISTRATION)


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

_LB = "aws:lb/loadBalancer:LoadBalancer"

CONTROL = Control(
    id="SOV-NET-03",
    title="Nothing is open to the world",
    severity=Severity.CRITICAL,
    sources=("CIS AWS 5.2", "CKV_AWS_24"),
    remedy="Name the networks or security groups that may come in; keep databases without public addresses.",
    rule=ResourceRule(
        lambda token: token in _SOURCES or token in _SWITCHES or token in _LISTS or token == _NODES, _open
    ),
    cases=(
        Case("nodes without a key of SSH", Verdict.GOOD, Resource(_NODES, "n", {})),
        Case(
            "nodes with a key of SSH, from anywhere",
            Verdict.BAD,
            Resource(_NODES, "n", {"remoteAccess": {"ec2SshKey": "k"}}),
        ),
        Case(
            "nodes with a key of SSH, from one group",
            Verdict.GOOD,
            Resource(_NODES, "n", {"remoteAccess": {"ec2SshKey": "k", "sourceSecurityGroupIds": ["sg-1"]}}),
        ),
        Case(
            "nodes with a key of SSH, from groups that are not known yet",
            Verdict.UNDECIDED,
            Resource(_NODES, "n", {"remoteAccess": {"ec2SshKey": "k", "sourceSecurityGroupIds": UNKNOWN}}),
        ),
        Case("from a private network", Verdict.GOOD, _group("10.0.0.0/8")),
        Case("from anywhere", Verdict.BAD, _group("0.0.0.0/0")),
        Case("from anywhere beside a private network", Verdict.BAD, _group("10.0.0.0/8", "0.0.0.0/0")),
        Case("from either half of the internet", Verdict.BAD, _group("0.0.0.0/1", "128.0.0.0/1")),
        *(
            Case(
                f"a network's list, {title}",
                verdict,
                Resource(_LISTS[1], "n", {"ingress": [{"action": action, "protocol": "tcp", **rule}]}),
            )
            for title, verdict, action, rule in (
                (
                    "SSH from anywhere",
                    Verdict.BAD,
                    "allow",
                    {"cidrBlock": "0.0.0.0/0", "fromPort": 22, "toPort": 22},
                ),
                ("all ports from anywhere", Verdict.BAD, "allow", {"ipv6CidrBlock": "::/0"}),
                (
                    "answers to what went out",
                    Verdict.GOOD,
                    "allow",
                    {"cidrBlock": "0.0.0.0/0", "fromPort": 32768, "toPort": 65535},
                ),
                ("nothing from anywhere", Verdict.GOOD, "deny", {"cidrBlock": "0.0.0.0/0"}),
                (
                    "SSH from within",
                    Verdict.GOOD,
                    "allow",
                    {"cidrBlock": "10.0.0.0/8", "fromPort": 22, "toPort": 22},
                ),
            )
        ),
        Case(
            "a rule of a network's list",
            Verdict.BAD,
            Resource(_LIST_RULE, "r", {"ruleAction": "allow", "cidrBlock": "0.0.0.0/0", "protocol": "-1"}),
        ),
        Case(
            "a rule of a network's list, out",
            Verdict.GOOD,
            Resource(
                _LIST_RULE,
                "r",
                {"egress": True, "ruleAction": "allow", "cidrBlock": "0.0.0.0/0", "protocol": "-1"},
            ),
        ),
        Case(
            "a list of ranges that is the world",
            Verdict.BAD,
            Resource(
                "aws:ec2/managedPrefixList:ManagedPrefixList", "l", {"entries": [{"cidr": "0.0.0.0/0"}]}
            ),
        ),
        Case("a public load balancer", Verdict.BAD, Resource(_LB, "b", {"internal": False})),
        Case("a load balancer of which nothing is stated", Verdict.BAD, Resource(_LB, "b", {})),
        Case("a load balancer within", Verdict.GOOD, Resource(_LB, "b", {"internal": True})),
        Case("one for appliances", Verdict.GOOD, Resource(_LB, "b", {"loadBalancerType": _GATEWAY})),
        Case(
            "a forwarding rule of Google's by its default",
            Verdict.BAD,
            Resource("gcp:compute/forwardingRule:ForwardingRule", "f", {"target": "t"}),
        ),
        Case(
            "a forwarding rule of Google's within",
            Verdict.GOOD,
            Resource("gcp:compute/forwardingRule:ForwardingRule", "f", {"loadBalancingScheme": "INTERNAL"}),
        ),
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
