"""The network of a cluster: private subnets, endpoints of AWS's services, NAT by choice."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from corral.catalogue.eks import eks_services
from corral.components.eks_cluster.allowed import CIDR
from corral.components.eks_cluster.args import EksEgress, EksNetwork
from corral.components.eks_cluster.layout import private_cidr, public_cidr
from corral.components.eks_cluster.site import EksSite

HTTPS = 443
_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class ClusterNetwork:
    """A VPC with one private subnet in each zone."""

    vpc: pulumi.Output[str]
    subnets: Sequence[pulumi.Output[str]]
    ways: Sequence[pulumi.Resource]
    """What nodes need to reach the services that they start with."""


def cluster_network(site: EksSite, args: EksNetwork) -> ClusterNetwork:
    """The VPC and all in it."""
    cidr = args.get("cidr", CIDR)
    vpc = _vpc(site, cidr)
    subnets = [_private_subnet(site, vpc, cidr, zone) for zone in site.zones]
    tables = [_routes(site, vpc, zone, subnet) for zone, subnet in zip(site.zones, subnets, strict=True)]
    endpoints = [*_interfaces(site, vpc, cidr, subnets), *_gateways(site, vpc, tables)]
    out: Sequence[pulumi.Resource] = ()
    if EksEgress(args.get("egress", EksEgress.NONE)) is EksEgress.NAT:
        out = _nat(site, vpc, cidr, tables)
    return ClusterNetwork(vpc.id, [one.id for one in subnets], [*endpoints, *out])


def _vpc(site: EksSite, cidr: str) -> aws.ec2.Vpc:
    vpc = aws.ec2.Vpc(
        f"{site.name}-vpc",
        cidr_block=cidr,
        # Names of endpoints lead to their addresses in the network.
        enable_dns_support=True,
        enable_dns_hostnames=True,
        region=site.region,
        tags=site.tagged("vpc"),
        opts=site.child(),
    )
    # AWS makes it with the VPC, open among its members; stated without rules, it lets nothing through.
    aws.ec2.DefaultSecurityGroup(
        f"{site.name}-default-group",
        vpc_id=vpc.id,
        ingress=[],
        egress=[],
        region=site.region,
        tags=site.tagged("closed"),
        opts=site.child(),
    )
    return vpc


def _subnet(site: EksSite, vpc: aws.ec2.Vpc, cidr: str, zone: str, kind: str, **tags: str) -> aws.ec2.Subnet:
    return aws.ec2.Subnet(
        f"{site.name}-{kind}-{zone}",
        vpc_id=vpc.id,
        availability_zone=zone,
        cidr_block=cidr,
        map_public_ip_on_launch=False,
        region=site.region,
        tags=site.tagged(f"{kind}-{zone}", **tags),
        opts=site.child(),
    )


def _private_subnet(site: EksSite, vpc: aws.ec2.Vpc, cidr: str, zone: str) -> aws.ec2.Subnet:
    tags = {"kubernetes.io/role/internal-elb": "1"}
    return _subnet(site, vpc, private_cidr(cidr, zone), zone, "private", **tags)


def _associate(site: EksSite, part: str, table: aws.ec2.RouteTable, subnet: aws.ec2.Subnet) -> None:
    aws.ec2.RouteTableAssociation(
        f"{site.name}-routes-{part}",
        route_table_id=table.id,
        subnet_id=subnet.id,
        region=site.region,
        opts=site.child(),
    )


def _routes(site: EksSite, vpc: aws.ec2.Vpc, zone: str, subnet: aws.ec2.Subnet) -> aws.ec2.RouteTable:
    table = aws.ec2.RouteTable(
        f"{site.name}-routes-{zone}",
        vpc_id=vpc.id,
        region=site.region,
        tags=site.tagged(f"private-{zone}"),
        opts=site.child(),
    )
    _associate(site, f"{zone}-subnet", table, subnet)
    return table


def _interfaces(
    site: EksSite, vpc: aws.ec2.Vpc, cidr: str, subnets: Sequence[aws.ec2.Subnet]
) -> list[pulumi.Resource]:
    group = aws.ec2.SecurityGroup(
        f"{site.name}-endpoints",
        description="HTTPS from the VPC to the endpoints of AWS's services",
        vpc_id=vpc.id,
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(
                protocol="tcp", from_port=HTTPS, to_port=HTTPS, cidr_blocks=[cidr], description="the VPC"
            )
        ],
        region=site.region,
        tags=site.tagged("endpoints"),
        opts=site.child(),
    )
    return [
        aws.ec2.VpcEndpoint(
            f"{site.name}-endpoint-{service}",
            vpc_id=vpc.id,
            vpc_endpoint_type="Interface",
            service_name=site.service(service),
            subnet_ids=[one.id for one in subnets],
            security_group_ids=[group.id],
            private_dns_enabled=True,
            region=site.region,
            tags=site.tagged(service),
            opts=site.child(),
        )
        for service in eks_services().interface_endpoints
    ]


def _gateways(site: EksSite, vpc: aws.ec2.Vpc, tables: Sequence[aws.ec2.RouteTable]) -> list[pulumi.Resource]:
    return [
        aws.ec2.VpcEndpoint(
            f"{site.name}-endpoint-{service}",
            vpc_id=vpc.id,
            vpc_endpoint_type="Gateway",
            service_name=site.service(service),
            route_table_ids=[one.id for one in tables],
            region=site.region,
            tags=site.tagged(service),
            opts=site.child(),
        )
        for service in eks_services().gateway_endpoints
    ]


def _nat(
    site: EksSite, vpc: aws.ec2.Vpc, cidr: str, tables: Sequence[aws.ec2.RouteTable]
) -> list[pulumi.Resource]:
    """A gateway in each zone, so that a zone that fails leaves the others their way out."""
    gateway = aws.ec2.InternetGateway(
        f"{site.name}-internet",
        vpc_id=vpc.id,
        region=site.region,
        tags=site.tagged("internet"),
        opts=site.child(),
    )
    public = aws.ec2.RouteTable(
        f"{site.name}-routes-public",
        vpc_id=vpc.id,
        region=site.region,
        tags=site.tagged("public"),
        opts=site.child(),
    )
    outward = aws.ec2.Route(
        f"{site.name}-route-public",
        route_table_id=public.id,
        destination_cidr_block=_ANYWHERE,
        gateway_id=gateway.id,
        region=site.region,
        opts=site.child(),
    )
    return [
        aws.ec2.Route(
            f"{site.name}-route-{zone}",
            route_table_id=table.id,
            destination_cidr_block=_ANYWHERE,
            nat_gateway_id=_nat_gateway(site, vpc, cidr, zone, public, outward).id,
            region=site.region,
            opts=site.child(),
        )
        for zone, table in zip(site.zones, tables, strict=True)
    ]


def _nat_gateway(
    site: EksSite, vpc: aws.ec2.Vpc, cidr: str, zone: str, routes: aws.ec2.RouteTable, outward: aws.ec2.Route
) -> aws.ec2.NatGateway:
    subnet = _subnet(site, vpc, public_cidr(cidr, zone), zone, "public")
    _associate(site, f"public-{zone}", routes, subnet)
    address = aws.ec2.Eip(
        f"{site.name}-nat-{zone}-address",
        domain="vpc",
        region=site.region,
        tags=site.tagged(f"nat-{zone}"),
        opts=site.child(),
    )
    return aws.ec2.NatGateway(
        f"{site.name}-nat-{zone}",
        subnet_id=subnet.id,
        allocation_id=address.allocation_id,
        region=site.region,
        tags=site.tagged(f"nat-{zone}"),
        opts=site.child(depends_on=[outward]),
    )
