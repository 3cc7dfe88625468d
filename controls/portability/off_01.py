"""A platform without a way out has none."""

from collections.abc import Iterator

from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.network.world import world
from corral.controls.profiles import Profile

_WAYS = {
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": "lets IPv6 out to the internet",
    "aws:ec2/eip:Eip": "is an address on the internet",
    "aws:ec2/internetGateway:InternetGateway": "leads to the internet",
    "aws:ec2/natGateway:NatGateway": "lets machines out to the internet",
    "gcp:compute/address:Address": "is an address on the internet",
    "gcp:compute/globalAddress:GlobalAddress": "is an address on the internet",
    "gcp:compute/routerNat:RouterNat": "lets machines out to the internet",
}
_ROUTES = ("aws:ec2/route:Route", "gcp:compute/route:Route")
_INSIDE = ("INTERNAL",)
_TO = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destRange")


def _out(subject: Resource, profile: Profile) -> Iterator[str]:
    if subject.type in _ROUTES:
        if any(world(subject.value(key)) for key in _TO):
            yield "the route leads everywhere"
        if str(subject.value("gatewayId", "")).startswith("igw-") or str(
            subject.value("nextHopGateway", "")
        ).endswith("default-internet-gateway"):
            yield "the route leads to a gateway of the internet"
        return
    private = subject.value("connectivityType") == "private" or subject.value("addressType") in _INSIDE
    inside = subject.value("purpose") in ("VPC_PEERING", "PRIVATE_SERVICE_CONNECT")
    if not private and not inside:
        yield f"it {_WAYS[subject.type]}"


_NAT = "aws:ec2/natGateway:NatGateway"

CONTROL = Control(
    id="SOV-OFF-01",
    title="Nothing leads to the internet",
    severity=Severity.CRITICAL,
    sources=("SOV-4",),
    remedy="Reach the provider's services by private endpoints, and everything else by the mirror.",
    rule=ResourceRule(lambda token: token in _WAYS or token in _ROUTES, _out),
    cases=(
        *(Case(token, Verdict.BAD, Resource(token, "r", {}), profile="air-gapped") for token in _WAYS),
        Case(
            "a private gateway",
            Verdict.GOOD,
            Resource(_NAT, "n", {"connectivityType": "private"}),
            profile="air-gapped",
        ),
        Case(
            "a route to everywhere",
            Verdict.BAD,
            Resource(_ROUTES[0], "r", {"destinationCidrBlock": "0.0.0.0/0"}),
            profile="air-gapped",
        ),
        Case(
            "a route to half of everywhere",
            Verdict.BAD,
            Resource(_ROUTES[0], "r", {"destinationCidrBlock": "128.0.0.0/1"}),
            profile="air-gapped",
        ),
        Case(
            "a route to a gateway of the internet",
            Verdict.BAD,
            Resource(_ROUTES[0], "r", {"destinationCidrBlock": "10.0.0.0/8", "gatewayId": "igw-1"}),
            profile="air-gapped",
        ),
        Case(
            "a route to a network",
            Verdict.GOOD,
            Resource(_ROUTES[0], "r", {"destinationCidrBlock": "10.0.0.0/8"}),
            profile="air-gapped",
        ),
        Case(
            "an address within",
            Verdict.GOOD,
            Resource("gcp:compute/address:Address", "a", {"addressType": "INTERNAL"}),
            profile="air-gapped",
        ),
    ),
)
