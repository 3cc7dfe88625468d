"""What a cluster on EKS refuses before anything of it is registered, one line each."""

import re
from collections.abc import Iterator, Mapping

from corral.catalogue.aws import MOST_TAGS, partition_of, partitions, unfit_tags
from corral.catalogue.eks import (
    LEAST_DISK_GIB,
    LETTERS,
    NARROWEST,
    WIDEST,
    eks_services,
    no_vpc,
    unencrypted,
)
from corral.catalogue.formats import ADMIN, EKS_NAME, INSTANCE_TYPE, TAG, TAG_TEXT, Format
from corral.components._cloud_clusters import (
    client_problems,
    format_problems,
    machine_problems,
    network_of,
    size_problems,
    version_problems,
)
from corral.components.eks_cluster.args import EksClusterArgs, EksNetwork, EksSystemNodes

CIDR = "10.0.0.0/16"
_ADDON_VERSION = Format(
    r"v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+",
    "AWS's form, such as v1.2.3-eksbuild.4, which names one build",
)
_PRINCIPAL = re.compile(r"arn:([a-z-]+):iam::[0-9]{12}:(?:role|user)/[A-Za-z0-9+=,.@_/-]+")


def problems(args: EksClusterArgs, owner: str) -> Iterator[str]:
    """What of `args` cannot be, or does not combine."""
    name = args.get("cluster_name", owner)
    yield from format_problems(name, EKS_NAME, f"{owner}.cluster_name")
    partition = partition_of(args["region"])
    if partition is None:
        known = " or ".join(partitions())
        yield f"{owner}.region: {args['region']!r} is in no partition that is known; use a region of {known}"
    yield from _zone_problems(args["zones"], args["region"], f"{owner}.zones")
    yield from version_problems(args["version"], args.get("dra", True), f"{owner}.version")
    yield from _admin_problems(args, partition, f"{owner}.admins")
    yield from _network_problems(args.get("network", {}), f"{owner}.network")
    yield from _node_problems(args["nodes"], args, f"{owner}.nodes")
    yield from tag_problems(args.get("tags", {}), f"{owner}.tags")
    yield from _addon_problems(args.get("addon_versions", {}), f"{owner}.addon_versions")
    days = args.get("log_days", 365)
    if days not in eks_services().log_days:
        listed = ", ".join(map(str, eks_services().log_days))
        yield f"{owner}.log_days: {days!r} is not allowed; CloudWatch has {listed}"


def _zone_problems(zones: list[str], region: str, where: str) -> Iterator[str]:
    if len(set(zones)) < 2:
        yield f"{where}: {zones!r}; EKS needs subnets in two zones or more"
    for zone in dict.fromkeys(zones):
        if zone[:-1] != region or zone[-1:] not in LETTERS:
            yield (
                f"{where}: {zone!r} is no zone of {region}; use {region}{LETTERS[0]} to {region}{LETTERS[-1]}"
            )
        elif zones.count(zone) > 1:
            yield f"{where}: {zone!r} is there {zones.count(zone)} times; name each zone once"


def _admin_problems(args: EksClusterArgs, partition: str | None, where: str) -> Iterator[str]:
    if not args["admins"]:
        yield f"{where}: empty, so that nobody could enter the cluster; name one role or more"
    for name, arn in args["admins"].items():
        yield from format_problems(name, ADMIN, f"{where}, key {name!r}")
        if not isinstance(arn, str):
            continue
        match = _PRINCIPAL.fullmatch(arn)
        if match is None:
            yield f"{where}[{name!r}]: {arn!r} is not allowed; use the ARN of a role or user of IAM"
        elif partition is not None and match[1] != partition:
            yield f"{where}[{name!r}]: {arn!r} is of partition {match[1]}; {args['region']} is in {partition}"


def _network_problems(network: EksNetwork, where: str) -> Iterator[str]:
    cidr = network.get("cidr", CIDR)
    parsed = network_of(cidr)
    if parsed is None:
        yield f"{where}.cidr: {cidr!r} is not allowed; use a network such as {CIDR}"
    elif parsed.prefixlen < WIDEST:
        yield f"{where}.cidr: {cidr!r} is wider than a VPC of AWS can be; use a /{WIDEST} to /{NARROWEST}"
    elif parsed.prefixlen > NARROWEST:
        yield (
            f"{where}.cidr: {cidr!r} has no room for subnets of nodes and pods, an eighth of it each; "
            f"use a /{WIDEST} to /{NARROWEST}"
        )
    else:
        yield from (f"{where}.cidr: {cidr!r}; {reason}" for reason in no_vpc(parsed))
    yield from client_problems(network.get("api_clients", []), f"{where}.api_clients")


def tag_problems(tags: Mapping[str, str], where: str) -> Iterator[str]:
    """Tags that AWS does not take."""
    for key, value in tags.items():
        yield from format_problems(key, TAG, f"{where}, key {key!r}")
        yield from format_problems(value, TAG_TEXT, f"{where}[{key!r}]")
    yield from (f"{where}, key {key!r}: {reason}" for key, reason in unfit_tags(tags))
    if len(tags) > MOST_TAGS:
        yield f"{where}: {len(tags)} tags; use {MOST_TAGS} at most"


def _node_problems(nodes: EksSystemNodes, args: EksClusterArgs, where: str) -> Iterator[str]:
    machine = nodes["instance_type"]
    yield from machine_problems(machine, INSTANCE_TYPE, "EksGpuNodePool", f"{where}.instance_type")
    if nodes.get("confidential", False):
        for key, value, reason in unencrypted(machine, args["region"]):
            yield f"{where}.{key}: {value!r}; {reason}"
    least = nodes.get("min", len(args["zones"]))
    disk = nodes.get("disk_gib", LEAST_DISK_GIB)
    yield from size_problems(least, nodes.get("max", 2 * least), disk, LEAST_DISK_GIB, where)


def _addon_problems(versions: dict[str, str], where: str) -> Iterator[str]:
    known = eks_services().addons
    for name, version in versions.items():
        if name not in known:
            yield f"{where}: {name!r} is not installed; allowed are {', '.join(sorted(known))}"
        yield from format_problems(version, _ADDON_VERSION, f"{where}[{name!r}]")
