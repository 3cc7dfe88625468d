"""Traffic of a network is recorded."""

from collections.abc import Iterator, Sequence

from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_VPC = ("aws:ec2/vpc:Vpc", "aws:ec2/defaultVpc:DefaultVpc")
_FLOWS = "aws:ec2/flowLog:FlowLog"
_SUBNET = "gcp:compute/subnetwork:Subnetwork"
_WITHOUT = ("REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "PRIVATE_SERVICE_CONNECT", "PRIVATE_NAT")
"""Purposes of subnets that have no machines, and take no logs."""


def _recorded(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if subject.type == _SUBNET:
        if subject.value("purpose", "PRIVATE") not in _WITHOUT and subject.value("logConfig") is None:
            yield "`logConfig` is absent, so traffic of the subnet goes unseen"
        return
    flows = [one for one in others if one.type == _FLOWS and _of(one, subject)]
    if not flows:
        yield "no FlowLog names the network, so its traffic goes unseen"
    elif not any(one.value("trafficType", "ALL") == "ALL" for one in flows):
        yield "its FlowLog leaves out what was accepted, or what was refused"


def _of(flows: Resource, vpc: Resource) -> bool:
    """Whether a flow log is of a network, by dependency or by its ID; one of unknown origin may be."""
    if "vpcId" in flows.refers:
        return vpc.urn in flows.refers["vpcId"]
    try:
        return flows.value("vpcId") is not None and flows.value("vpcId") == vpc.props.get("id")
    except Undecided:
        return True


_URN = "urn:pulumi:s::p::aws:ec2/vpc:Vpc::v"
_NETWORK = Resource(_VPC[0], "v", {"cidrBlock": "10.0.0.0/16"}, urn=_URN)


def _flows(kind: object = "ALL", of: str = _URN) -> Resource:
    return Resource(_FLOWS, "f", {"vpcId": UNKNOWN, "trafficType": kind}, refers={"vpcId": [of]})


def _subnet(**props: object) -> Resource:
    return Resource(_SUBNET, "s", props)


CONTROL = Control(
    id="SOV-NET-10",
    title="Traffic of a network is recorded",
    severity=Severity.MEDIUM,
    sources=("CIS GKE 5.6.1", "NIS2 3.2"),
    remedy="AWS: a FlowLog of the VPC for ALL traffic; Google: `logConfig` of each subnet.",
    rule=StackRule(lambda token: token in (*_VPC, _SUBNET), _recorded),
    cases=(
        Case("a flow log of the network", Verdict.GOOD, _NETWORK, (_flows(),)),
        Case("no flow log", Verdict.BAD, _NETWORK),
        Case("a flow log of another network", Verdict.BAD, _NETWORK, (_flows(of="urn:other"),)),
        Case("a flow log of half the traffic", Verdict.BAD, _NETWORK, (_flows("REJECT"),)),
        Case("traffic not known yet", Verdict.UNDECIDED, _NETWORK, (_flows(UNKNOWN),)),
        Case("Google, recorded", Verdict.GOOD, _subnet(logConfig={"aggregationInterval": "INTERVAL_5_SEC"})),
        Case("Google, not recorded", Verdict.BAD, _subnet(ipCidrRange="10.0.0.0/16")),
        Case("Google, a subnet of proxies", Verdict.GOOD, _subnet(purpose=_WITHOUT[0])),
    ),
)
