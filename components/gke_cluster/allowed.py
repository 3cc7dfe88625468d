"""What a cluster on GKE refuses before anything of it is registered, one line each."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from ipaddress import IPv4Network
from itertools import combinations

from corral.catalogue.formats import (
    GCE_DISK_TYPE,
    GCE_MACHINE,
    GCP_KEY,
    GCP_LABEL_KEY,
    GCP_LABEL_TEXT,
    GCP_PROJECT,
    GCP_REGION,
    GKE_NAME,
    Format,
)
from corral.catalogue.gke import (
    BOOT_DISK,
    LEAST_DISK_GIB,
    LEAST_NODES,
    LONGEST_LOG_DAYS,
    MOST_LABELS,
    NODES,
    PODS,
    SERVICES,
    misfits,
    private,
    unfit_labels,
    zones_of,
)
from corral.components._cloud_clusters import (
    client_problems,
    format_problems,
    machine_problems,
    network_of,
    size_problems,
    version_problems,
)
from corral.components.gke_cluster.args import (
    GkeClusterArgs,
    GkeKeys,
    GkeMaintenance,
    GkeNetwork,
    GkeSystemNodes,
)

_RULE = Format(r"FREQ=(DAILY|WEEKLY)(;[A-Z]+=[A-Z0-9,]+)*", "a rule such as FREQ=WEEKLY;BYDAY=SA,SU")


def problems(args: GkeClusterArgs, owner: str) -> Iterator[str]:
    """What of `args` cannot be, or does not combine."""
    name = args.get("cluster_name", owner)
    yield from format_problems(name, GKE_NAME, f"{owner}.cluster_name")
    yield from format_problems(args["project"], GCP_PROJECT, f"{owner}.project")
    yield from format_problems(args["region"], GCP_REGION, f"{owner}.region")
    yield from _zone_problems(args.get("zones", []), args["region"], f"{owner}.zones")
    yield from version_problems(args["version"], args.get("dra", True), f"{owner}.version")
    yield from _key_problems(args["keys"], args["region"], f"{owner}.keys")
    yield from _network_problems(args.get("network", {}), f"{owner}.network")
    yield from _node_problems(args["nodes"], f"{owner}.nodes")
    yield from label_problems(args.get("labels", {}), f"{owner}.labels")
    if "maintenance" in args:
        yield from _maintenance_problems(args["maintenance"], f"{owner}.maintenance")
    days = args.get("log_days", 1)
    if not 1 <= days <= LONGEST_LOG_DAYS:
        yield f"{owner}.log_days: {days!r} is not allowed; use 1 to {LONGEST_LOG_DAYS}"


def label_problems(labels: Mapping[str, str], where: str) -> Iterator[str]:
    """Labels that Google does not take."""
    for key, value in labels.items():
        yield from format_problems(key, GCP_LABEL_KEY, f"{where}, key {key!r}")
        yield from format_problems(value, GCP_LABEL_TEXT, f"{where}[{key!r}]")
    yield from (f"{where}, key {key!r}: {reason}" for key, reason in unfit_labels(labels))
    if len(labels) > MOST_LABELS:
        yield f"{where}: {len(labels)} labels; use {MOST_LABELS} at most"


def _zone_problems(zones: list[str], region: str, where: str) -> Iterator[str]:
    for zone in dict.fromkeys(zones):
        if zone not in zones_of(region):
            yield f"{where}: {zone!r} is no zone of {region}; use one such as {region}-a"
        elif zones.count(zone) > 1:
            yield f"{where}: {zone!r} is there {zones.count(zone)} times; name each zone once"


def _key_problems(keys: GkeKeys, region: str, where: str) -> Iterator[str]:
    if "project" in keys:
        yield from format_problems(keys["project"], GCP_PROJECT, f"{where}.project")
    for purpose in ("secrets", "logs", "disks"):
        key = keys.get(purpose)
        if key is None and "project" not in keys:
            yield f"{where}.{purpose}: absent, and so is project, in which it would be made; name one of both"
        elif isinstance(key, str):
            yield from key_problems(key, region, f"{where}.{purpose}")


def key_problems(key: str, region: str, where: str) -> Iterator[str]:
    """What is no key, or one of another region than what it encrypts."""
    if not GCP_KEY.matches(key):
        yield from format_problems(key, GCP_KEY, where)
    elif key.split("/")[3] != region:
        yield f"{where}: {key!r} is in {key.split('/')[3]}; use a key in {region}"


def _network_problems(network: GkeNetwork, where: str) -> Iterator[str]:
    ranges = {
        "nodes": network.get("nodes", NODES),
        "pods": network.get("pods", PODS),
        "services": network.get("services", SERVICES),
    }
    known: dict[str, IPv4Network] = {}
    for key, text in ranges.items():
        parsed = network_of(text)
        if parsed is None or not private(parsed):
            yield f"{where}.{key}: {text!r} is not allowed; use a private network such as {NODES}"
        else:
            known[key] = parsed
    for (one, first), (other, second) in combinations(known.items(), 2):
        if first.overlaps(second):
            yield f"{where}.{other}: {second} and {one}, {first}, have addresses in common; use others"
    yield from client_problems(network.get("api_clients", []), f"{where}.api_clients")


def _node_problems(nodes: GkeSystemNodes, where: str) -> Iterator[str]:
    machine = nodes["machine_type"]
    yield from machine_problems(machine, GCE_MACHINE, "GkeGpuNodePool", f"{where}.machine_type")
    least = nodes.get("min", LEAST_NODES)
    disk = nodes.get("disk_gib", LEAST_DISK_GIB)
    yield from size_problems(least, nodes.get("max", 2 * least), disk, LEAST_DISK_GIB, where)
    disk_type, confidential = nodes.get("disk_type", BOOT_DISK), nodes.get("confidential", False)
    yield from format_problems(disk_type, GCE_DISK_TYPE, f"{where}.disk_type")
    if GCE_DISK_TYPE.matches(disk_type):
        for key, value, reason in misfits(machine, disk_type, confidential=confidential):
            yield f"{where}.{key}: {value!r} {reason}"


def _maintenance_problems(maintenance: GkeMaintenance, where: str) -> Iterator[str]:
    yield from format_problems(maintenance["recurrence"], _RULE, f"{where}.recurrence")
    start, end = (_time(text) for text in (maintenance["start"], maintenance["end"]))
    for key, text, parsed in (("start", maintenance["start"], start), ("end", maintenance["end"], end)):
        if parsed is None:
            yield f"{where}.{key}: {text!r} is not allowed; use a time such as 2026-01-03T01:00:00Z"
    if start is not None and end is not None and end <= start:
        yield f"{where}.end: {maintenance['end']!r} is not after the start, {maintenance['start']}"


def _time(text: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else None
