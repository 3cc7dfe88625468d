"""A network with one private subnet, and Google's services within it where it has no way out."""

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from corral.catalogue.gke import GOOGLE_APIS, NODES, PODS, SERVICES
from corral.components._gcp import GcpSite
from corral.components.gke_cluster.args import GkeEgress, GkeNetwork

POD_RANGE, SERVICE_RANGE = "pods", "services"
_ADDRESSES = [f"199.36.153.{last}" for last in range(4, 8)]
"""Those of `GOOGLE_APIS`, one by one."""
_REGISTRIES = ("pkg.dev", "gcr.io")
_TTL = 300


@dataclass(frozen=True)
class ClusterNetwork:
    """Network and subnet by id, and the ways by which nodes reach what they need."""

    network: pulumi.Output[str]
    subnet: pulumi.Output[str]
    ways: tuple[pulumi.Resource, ...]


def cluster_network(site: GcpSite, args: GkeNetwork) -> ClusterNetwork:
    """The network: no subnet of its own making, and no route to the internet unless one is chosen."""
    closed = GkeEgress(args.get("egress", GkeEgress.NONE)) is GkeEgress.NONE
    network = gcp.compute.Network(
        f"{site.name}-network",
        name=site.title,
        project=site.project,
        auto_create_subnetworks=False,
        delete_default_routes_on_create=closed,
        routing_mode="REGIONAL",
        opts=site.child(),
    )
    subnet = gcp.compute.Subnetwork(
        f"{site.name}-subnet",
        name=site.title,
        project=site.project,
        region=site.region,
        network=network.id,
        ip_cidr_range=args.get("nodes", NODES),
        secondary_ip_ranges=[
            gcp.compute.SubnetworkSecondaryIpRangeArgs(
                range_name=POD_RANGE, ip_cidr_range=args.get("pods", PODS)
            ),
            gcp.compute.SubnetworkSecondaryIpRangeArgs(
                range_name=SERVICE_RANGE, ip_cidr_range=args.get("services", SERVICES)
            ),
        ],
        private_ip_google_access=True,
        log_config=gcp.compute.SubnetworkLogConfigArgs(
            aggregation_interval="INTERVAL_5_SEC", flow_sampling=1, metadata="INCLUDE_ALL_METADATA"
        ),
        opts=site.child(),
    )
    ways = _within_google(site, network) if closed else _nat(site, network)
    return ClusterNetwork(network.id, subnet.id, tuple(ways))


def _within_google(site: GcpSite, network: gcp.compute.Network) -> list[pulumi.Resource]:
    """Google's services by addresses that are not on the internet, under their own names."""
    route = gcp.compute.Route(
        f"{site.name}-google",
        name=f"{site.title}-google",
        project=site.project,
        network=network.id,
        dest_range=GOOGLE_APIS,
        next_hop_gateway="default-internet-gateway",
        description="Google's services; the gateway's name notwithstanding, this range is Google's own",
        opts=site.child(),
    )
    records = _zone(site, network, "googleapis.com", "restricted.googleapis.com")
    for domain in _REGISTRIES:
        records += _zone(site, network, domain, domain)
    return [route, *records]


def _zone(site: GcpSite, network: gcp.compute.Network, domain: str, host: str) -> list[pulumi.Resource]:
    """All names of `domain` as those of `host`, within the network alone."""
    part = domain.replace(".", "-")
    zone = gcp.dns.ManagedZone(
        f"{site.name}-{part}",
        name=f"{site.title}-{part}",
        project=site.project,
        dns_name=f"{domain}.",
        description=f"{domain} within network {site.title}",
        visibility="private",
        private_visibility_config=gcp.dns.ManagedZonePrivateVisibilityConfigArgs(
            networks=[gcp.dns.ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=network.self_link)]
        ),
        labels=site.labelled,
        opts=site.child(),
    )
    addresses = _record(site, zone, f"{part}-addresses", f"{host}.", "A", _ADDRESSES)
    aliases = _record(site, zone, f"{part}-aliases", f"*.{domain}.", "CNAME", [f"{host}."])
    return [addresses, aliases]


def _record(
    site: GcpSite, zone: gcp.dns.ManagedZone, part: str, name: str, kind: str, values: list[str]
) -> gcp.dns.RecordSet:
    return gcp.dns.RecordSet(
        f"{site.name}-{part}",
        project=site.project,
        managed_zone=zone.name,
        name=name,
        type=kind,
        ttl=_TTL,
        rrdatas=values,
        opts=site.child(),
    )


def _nat(site: GcpSite, network: gcp.compute.Network) -> list[pulumi.Resource]:
    router = gcp.compute.Router(
        f"{site.name}-router",
        name=site.title,
        project=site.project,
        region=site.region,
        network=network.id,
        opts=site.child(),
    )
    nat = gcp.compute.RouterNat(
        f"{site.name}-nat",
        name=site.title,
        project=site.project,
        region=site.region,
        router=router.name,
        nat_ip_allocate_option="AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
        log_config=gcp.compute.RouterNatLogConfigArgs(enable=True, filter="ALL"),
        opts=site.child(),
    )
    return [nat]
