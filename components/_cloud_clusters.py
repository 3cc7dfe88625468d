"""What clusters of clouds have in common: what they refuse, and the kubeconfig that they hand out."""

import json
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network

from packaging.version import Version

from corral.catalogue.charts import charts_of
from corral.catalogue.formats import Format
from corral.catalogue.instances import gpus_said
from corral.catalogue.vocabulary import Addon
from corral.controls.network.world import world

_VERSION = Format(r"1\.[1-9][0-9]?", "MAJOR.MINOR, such as 1.35")


def format_problems(value: str, allowed: Format, where: str) -> Iterator[str]:
    """A value of another format."""
    if not allowed.matches(value):
        yield f"{where}: {value!r} is not allowed; use {allowed.words}"


def version_problems(version: str, dra: bool, where: str) -> Iterator[str]:
    """What is no version, or one too old for the DRA driver; the cloud chooses the patch itself."""
    if not _VERSION.matches(version):
        yield from format_problems(version, _VERSION, where)
        return
    floor = max(Version(entry.kubernetes) for entry in charts_of(Addon.DRA_DRIVER) if entry.kubernetes)
    if dra and Version(version) < Version(f"{floor.major}.{floor.minor}"):
        yield (
            f"{where}: {version!r} is too old for GPUs handed out by claim; use {floor.major}.{floor.minor} "
            "or newer, or dra: False"
        )


def client_problems(clients: Iterable[str], where: str) -> Iterator[str]:
    """Networks of callers of the API that are none, or the world."""
    for index, client in enumerate(clients):
        if network_of(client) is None or world(client):
            use = "use a network such as 192.0.2.0/24"
            yield f"{where}[{index}]: {client!r} is not allowed; {use}"


def network_of(text: str) -> IPv4Network | None:
    """The network that `text` names with its length; None: it names none."""
    try:
        return IPv4Network(text) if "/" in text else None
    except ValueError:
        return None


def machine_problems(machine: str, allowed: Format, pool: str, where: str) -> Iterator[str]:
    """Machine types of system nodes that have another form, or GPUs, which `pool` is for."""
    yield from format_problems(machine, allowed, where)
    if (said := gpus_said(machine)) is not None:
        yield f"{where}: {machine!r} {said}; use a type without, and {pool}"


def size_problems(least: int, most: int, disk_gib: int, least_disk_gib: int, where: str) -> Iterator[str]:
    """Numbers of system nodes, and disks of theirs, that cannot be."""
    if least < 1:
        yield f"{where}.min: {least!r} is not allowed; use 1 or more"
    elif most < least:
        yield f"{where}.max: {most!r} is below the fewest, {least}"
    if disk_gib < least_disk_gib:
        yield f"{where}.disk_gib: {disk_gib!r} is not allowed; use {least_disk_gib} or more"


def kubeconfig_text(name: str, server: str, authority: str, plugin: Mapping[str, object]) -> str:
    """The kubeconfig of a cluster whose users `plugin`, a command of the cloud's, makes tokens for."""
    credentials = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        **plugin,
        "interactiveMode": "Never",
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": name, "user": {"exec": credentials}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2)
