"""What a cluster on GKE refuses before anything of it is registered, one line each."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from ipaddress import IPv4Network
from itertools import combinations

from packaging.version import Version

from corral.catalogue.charts import charts_of
from corral.catalogue.formats import Format
from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Addon
from corral.components._gcp import KEY, LABEL_KEY, LABEL_TEXT, PROJECT, REGION
from corral.components.gke_cluster.args import (
    GkeClusterArgs,
    GkeKeys,
    GkeMaintenance,
    GkeNetwork,
    GkeSystemNodes,
)
from corral.controls.network.world import world

NODES, PODS, SERVICES = "10.0.0.0/20", "10.4.0.0/14", "10.8.0.0/20"
LOG_DAYS = 3650
"""Longest period of a log bucket (Cloud Logging, quotas and limits)."""
LEAST_DISK_GIB = 20
LEAST_NODES = 3
NAME = Format(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", "lowercase letters, digits and -, at most 30")
"""Shorter than GKE's own 40: names of what belongs to it begin with it."""
_VERSION = Format(r"1\.[1-9][0-9]?", "MAJOR.MINOR, such as 1.35")
_MACHINE = Format(r"[a-z][a-z0-9]*-[a-z0-9-]+", "FAMILY-SIZE, such as n2d-standard-4")
_RULE = Format(r"FREQ=(DAILY|WEEKLY)(;[A-Z]+=[A-Z0-9,]+)*", "a rule such as FREQ=WEEKLY;BYDAY=SA,SU")
_LETTERS = "abcdef"


def problems(args: GkeClusterArgs, owner: str) -> Iterator[str]:
    """What of `args` cannot be, or does not combine."""
    name = args.get("cluster_name", owner)
    yield from _format(name, NAME, f"{owner}.cluster_name")
    yield from _format(args["project"], PROJECT, f"{owner}.project")
    yield from _format(args["region"], REGION, f"{owner}.region")
    yield from _zone_problems(args.get("zones", []), args["region"], f"{owner}.zones")
    yield from _version_problems(args["version"], args.get("dra", True), f"{owner}.version")
    yield from _key_problems(args["keys"], args["region"], f"{owner}.keys")
    yield from _network_problems(args.get("network", {}), f"{owner}.network")
    yield from _node_problems(args["nodes"], f"{owner}.nodes")
    yield from label_problems(args.get("labels", {}), f"{owner}.labels")
    if "maintenance" in args:
        yield from _maintenance_problems(args["maintenance"], f"{owner}.maintenance")
    days = args.get("log_days", 1)
    if not 1 <= days <= LOG_DAYS:
        yield f"{owner}.log_days: {days!r} is not allowed; use 1 to {LOG_DAYS}"


def label_problems(labels: Mapping[str, str], where: str) -> Iterator[str]:
    """Labels that Google does not take."""
    for key, value in labels.items():
        yield from _format(key, LABEL_KEY, f"{where}, key {key!r}")
        yield from _format(value, LABEL_TEXT, f"{where}[{key!r}]")


def _format(value: str, allowed: Format, where: str) -> Iterator[str]:
    if not allowed.matches(value):
        yield f"{where}: {value!r} is not allowed; use {allowed.words}"


def _zone_problems(zones: list[str], region: str, where: str) -> Iterator[str]:
    for zone in dict.fromkeys(zones):
        if zone[:-2] != region or zone[-2:-1] != "-" or zone[-1:] not in _LETTERS:
            yield f"{where}: {zone!r} is no zone of {region}; use one such as {region}-a"
        elif zones.count(zone) > 1:
            yield f"{where}: {zone!r} is there {zones.count(zone)} times; name each zone once"


def _version_problems(version: str, dra: bool, where: str) -> Iterator[str]:
    if not _VERSION.matches(version):
        yield from _format(version, _VERSION, where)
        return
    floor = max(Version(entry.kubernetes) for entry in charts_of(Addon.DRA_DRIVER) if entry.kubernetes)
    # GKE chooses the patch itself.
    if dra and Version(version) < Version(f"{floor.major}.{floor.minor}"):
        yield (
            f"{where}: {version!r} is too old for GPUs handed out by claim; use {floor.major}.{floor.minor} "
            "or newer, or dra: False"
        )


def _key_problems(keys: GkeKeys, region: str, where: str) -> Iterator[str]:
    if "project" in keys:
        yield from _format(keys["project"], PROJECT, f"{where}.project")
    for purpose in ("secrets", "logs", "disks"):
        key = keys.get(purpose)
        if key is None and "project" not in keys:
            yield f"{where}.{purpose}: absent, and so is project, in which it would be made; name one of both"
        elif isinstance(key, str):
            yield from key_problems(key, region, f"{where}.{purpose}")


def key_problems(key: str, region: str, where: str) -> Iterator[str]:
    """What is no key, or one of another region than what it encrypts."""
    if not KEY.matches(key):
        yield f"{where}: {key!r} is not allowed; use {KEY.words}"
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
        parsed = _cidr(text)
        if parsed is None or not parsed.is_private:
            yield f"{where}.{key}: {text!r} is not allowed; use a private network such as {NODES}"
        else:
            known[key] = parsed
    for (one, first), (other, second) in combinations(known.items(), 2):
        if first.overlaps(second):
            yield f"{where}.{other}: {second} and {one}, {first}, have addresses in common; use others"
    for index, client in enumerate(network.get("api_clients", [])):
        if _cidr(client) is None or world(client):
            use = "use a network such as 192.0.2.0/24"
            yield f"{where}.api_clients[{index}]: {client!r} is not allowed; {use}"


def _cidr(text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text) if "/" in text else None
    except ValueError:
        return None


def _node_problems(nodes: GkeSystemNodes, where: str) -> Iterator[str]:
    machine = nodes["machine_type"]
    yield from _format(machine, _MACHINE, f"{where}.machine_type")
    if machine in instances():
        gpu = instances()[machine].gpu
        yield f"{where}.machine_type: {machine!r} has GPUs ({gpu}); use a type without, and GkeGpuNodePool"
    least = nodes.get("min", LEAST_NODES)
    most = nodes.get("max", 2 * least)
    if least < 1:
        yield f"{where}.min: {least!r} is not allowed; use 1 or more"
    elif most < least:
        yield f"{where}.max: {most!r} is below the fewest, {least}"
    if nodes.get("disk_gib", LEAST_DISK_GIB) < LEAST_DISK_GIB:
        yield f"{where}.disk_gib: {nodes.get('disk_gib')!r} is not allowed; use {LEAST_DISK_GIB} or more"


def _maintenance_problems(maintenance: GkeMaintenance, where: str) -> Iterator[str]:
    yield from _format(maintenance["recurrence"], _RULE, f"{where}.recurrence")
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
