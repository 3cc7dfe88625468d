"""Section `cluster.eks`: zones, who administers, network and nodes of a cluster that the stack makes."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network

from corral.catalogue.aws import MOST_TAGS, Partition, partition_of, partitions, unfit_tags
from corral.catalogue.eks import (
    LETTERS,
    NARROWEST,
    PARTS,
    WIDEST,
    eks_services,
    no_vpc,
    unencrypted,
)
from corral.catalogue.instances import instances
from corral.catalogue.sources import scheme_of
from corral.catalogue.vocabulary import Cloud, Egress, SourceScheme
from corral.controls.profiles import PROFILES
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import Eks, ModelSource, StackConfig
from corral.stacks.planning.eks import least_nodes, most_nodes
from corral.stacks.planning.validation.made_clusters import (
    check_api_clients,
    check_mirror,
    check_most,
    check_sources,
    check_version,
    check_without_gpus,
)

_AT = "cluster.eks"


def check_eks(config: StackConfig) -> Iterator[Problem]:
    """What a cluster on EKS lacks, or cannot be."""
    if config.cluster.capabilities.cloud is not Cloud.AWS:
        return
    yield from check_version(config, "EKS")
    region, limits = config.sovereignty.region_name, PROFILES[config.sovereignty.profile.value]
    if limits.regions is not None and region not in limits.regions:
        return  # Refused as such: what else does not fit it says nothing more.
    partition = partition_of(region)
    if partition is None or config.sovereignty.country is not None:
        known = " or ".join(partitions())
        yield Problem("sovereignty.region", region, f"kind eks is in a region of AWS, of {known}: name it")
        return
    section = config.cluster.eks
    if section is None:
        yield Problem(_AT, "missing", "kind eks needs zones, admins and system-nodes there")
        return
    yield from _zones(section, region)
    yield from _principals(section, region, partition)
    yield from _network(section)
    yield from _system_nodes(section, region)
    yield from _log_days(section)
    yield from _tags(section)
    yield from _room(config, section)
    if section.network.egress is Egress.NONE:
        yield from _without_way_out(config, region, partitions()[partition])


def _zones(section: Eks, region: str) -> Iterator[Problem]:
    if len(set(section.zones)) < 2:
        yield Problem(
            f"{_AT}.zones",
            ", ".join(section.zones) or "none",
            "EKS needs subnets in two zones or more: name them",
        )
    for index, zone in enumerate(section.zones):
        path = f"{_AT}.zones[{index}]"
        if zone[:-1] != region or zone[-1] not in LETTERS:
            allowed = f"no zone of {region}: use {region}{LETTERS[0]} to {region}{LETTERS[-1]}"
            yield Problem(path, zone, allowed)
        elif zone in section.zones[:index]:
            yield Problem(path, zone, "named before: name each zone once")


def _principals(section: Eks, region: str, partition: str) -> Iterator[Problem]:
    if not section.admins:
        yield Problem(f"{_AT}.admins", "empty", "nobody could enter the cluster: name one role or more")
    stated = {f"{_AT}.admins.{name}": arn for name, arn in section.admins.items()}
    stated |= {f"{_AT}.keys.{purpose}": arn for purpose, arn in section.keys.stated().items()}
    seen: dict[str, str] = {}
    for name, arn in section.admins.items():
        first = seen.setdefault(arn, name)
        if first != name:
            yield Problem(f"{_AT}.admins.{name}", arn, f"is {first}, too: a principal has one access entry")
    for path, arn in stated.items():
        _, own, service, place, *_ = arn.split(":")
        if own != partition:
            yield Problem(path, arn, f"of partition {own}, and {region} is in {partition}: use one of it")
        elif service == "kms" and place != region:
            yield Problem(path, arn, f"a key of {place}: use one of {region}, where the cluster is")


def _network(section: Eks) -> Iterator[Problem]:
    network = section.network
    if not WIDEST <= IPv4Network(network.cidr).prefixlen <= NARROWEST:
        yield Problem(
            f"{_AT}.network.cidr",
            network.cidr,
            f"a VPC is no wider than /{WIDEST}, and each zone needs an eighth: use /{WIDEST} to /{NARROWEST}",
        )
    for reason in no_vpc(IPv4Network(network.cidr)):
        yield Problem(f"{_AT}.network.cidr", network.cidr, reason)
    yield from check_api_clients(network.api_clients, f"{_AT}.network.api-clients")


def _system_nodes(section: Eks, region: str) -> Iterator[Problem]:
    nodes, path = section.system_nodes, f"{_AT}.system-nodes"
    yield from check_without_gpus(nodes.instance, f"{path}.instance")
    if nodes.confidential:
        keys = {"instance_type": "instance", "confidential": "confidential"}
        for key, value, reason in unencrypted(nodes.instance, region):
            yield Problem(f"{path}.{keys[key]}", value, reason)
    yield from check_most(nodes.max, least_nodes(section), f"{path}.max")


def _tags(section: Eks) -> Iterator[Problem]:
    for key, reason in unfit_tags(section.tags):
        yield Problem(f"{_AT}.tags.{key}", key, reason)
    if len(section.tags) > MOST_TAGS:
        reason = f"what is made has 50 at most, some of them not the stack's: use {MOST_TAGS} at most"
        yield Problem(f"{_AT}.tags", f"{len(section.tags)} tags", reason)


def _log_days(section: Eks) -> Iterator[Problem]:
    known = eks_services().log_days
    if section.log_days not in known:
        listed = ", ".join(map(str, known))
        yield Problem(f"{_AT}.log-days", str(section.log_days), f"use a period of CloudWatch: {listed}")


def _room(config: StackConfig, section: Eks) -> Iterator[Problem]:
    """Nodes hold the addresses of two interfaces each before they have many pods."""
    network = IPv4Network(section.network.cidr)
    if not WIDEST <= network.prefixlen <= NARROWEST:
        return
    each = eks_services().subnet_addresses(network.prefixlen + PARTS)
    room = each * len(set(section.zones))
    made = {name for name, one in instances().items() if one.cloud is Cloud.AWS}
    needed = most_nodes(section) + sum(
        (pool.nodes.max or 0) * eks_services().node_addresses(pool.instance)
        for pool in config.gpu_pools
        if pool.instance is not None and pool.instance in made
    )
    if needed > room:
        yield Problem(
            f"{_AT}.network.cidr",
            section.network.cidr,
            f"its subnets have {room} addresses for nodes and pods, and the nodes hold {needed} from the "
            f"start: use a wider network, up to /{WIDEST}, or fewer nodes",
        )


def _without_way_out(config: StackConfig, region: str, partition: Partition) -> Iterator[Problem]:
    """Images and models that nodes without a way to the internet cannot reach."""
    host = rf"[0-9]{{12}}\.dkr\.ecr\.{region}\.{re.escape(partition.dns_suffix)}(/.*)?"
    registry, nat = config.sovereignty.registry, f"or {_AT}.network.egress: nat"
    yield from check_mirror(
        config,
        reached=registry is not None and re.fullmatch(host, registry) is not None,
        example=f"ACCOUNT.dkr.ecr.{region}.{partition.dns_suffix}/mirror",
        otherwise=nat,
    )

    def inside(source: str, origin: ModelSource | None) -> bool:
        own = origin is None or (origin.endpoint is None and origin.region == region)
        return scheme_of(source) is SourceScheme.S3 and own

    yield from check_sources(config, inside, f"s3:// of {region} by model-sources, {nat}")
