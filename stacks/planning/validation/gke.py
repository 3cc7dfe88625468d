"""Section `cluster.gke`: zones, keys, network and nodes of a cluster that the stack makes."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from corral.catalogue.formats import GCP_REGION
from corral.catalogue.gke import (
    FEWEST_SERVICES,
    MOST_LABELS,
    NODE_PODS,
    NODES_RESERVED,
    has_gpu_zone,
    misfits,
    private,
    unfit_labels,
    zones_of,
)
from corral.catalogue.sources import scheme_of
from corral.catalogue.vocabulary import Cloud, Egress, SourceScheme, StorageKind
from corral.controls.profiles import PROFILES
from corral.stacks.config.errors import Problem
from corral.stacks.config.sections.gke import GkeNodes
from corral.stacks.config.stack_config import Gke, ModelSource, StackConfig
from corral.stacks.planning.gke import least_nodes, most_nodes, repository
from corral.stacks.planning.validation.made_clusters import (
    check_api_clients,
    check_mirror,
    check_most,
    check_sources,
    check_version,
    check_without_gpus,
)

_AT = "cluster.gke"


def check_gke(config: StackConfig) -> Iterator[Problem]:
    """What a cluster on GKE lacks, or cannot be."""
    if config.cluster.capabilities.cloud is not Cloud.GCP:
        return
    yield from check_version(config, "Google")
    region, limits = config.sovereignty.region_name, PROFILES[config.sovereignty.profile.value]
    if limits.regions is not None and region not in limits.regions:
        return  # Refused as such: what else does not fit it says nothing more.
    if not GCP_REGION.matches(region) or config.sovereignty.country is not None:
        use = "kind gke is in a region of Google Cloud, such as europe-west3: name it"
        yield Problem("sovereignty.region", region, use)
        return
    section = config.cluster.gke
    if section is None:
        yield Problem(_AT, "missing", "kind gke needs project, keys and system-nodes there")
        return
    yield from _zones(section, region)
    for index, pool in enumerate(config.gpu_pools):
        yield from _pool_zone(pool.zone, region, f"gpu-pools[{index}].zone")
    yield from _keys(section, region, stored=config.model_storage.kind is StorageKind.GCS)
    yield from _network(section)
    yield from _room(config, section)
    nodes = section.system_nodes
    yield from check_without_gpus(nodes.machine, f"{_AT}.system-nodes.machine")
    yield from _machine(nodes, f"{_AT}.system-nodes")
    yield from _labels(section)
    yield from check_most(nodes.max, least_nodes(section), f"{_AT}.system-nodes.max")
    if section.network.egress is Egress.NONE:
        yield from _without_way_out(config, region)


def _zones(section: Gke, region: str) -> Iterator[Problem]:
    for index, zone in enumerate(section.zones):
        path = f"{_AT}.zones[{index}]"
        if zone not in zones_of(region):
            yield Problem(path, zone, f"no zone of {region}: use one such as {zones_of(region)[0]}")
        elif zone in section.zones[:index]:
            yield Problem(path, zone, "named before: name each zone once")


def _pool_zone(zone: str | None, region: str, path: str) -> Iterator[Problem]:
    if zone is None:
        use = f"the stack makes these nodes in one zone: name it, such as {zones_of(region)[0]}"
        yield Problem(path, "missing", use)
    elif not has_gpu_zone(region, zone):
        yield Problem(path, zone, f"no zone of {region}: use one such as {zones_of(region)[0]}")


def _keys(section: Gke, region: str, *, stored: bool) -> Iterator[Problem]:
    keys = {"secrets": section.keys.secrets, "logs": section.keys.logs, "disks": section.keys.disks}
    if stored or section.keys.models is not None:
        keys["models"] = section.keys.models
    if section.keys.project is None and (absent := [one for one, key in keys.items() if key is None]):
        use = "name the project in which they are made, or the keys that are there"
        yield Problem(f"{_AT}.keys", f"no {', '.join(absent)}", use)
    stated = {f"{_AT}.keys.{purpose}": key for purpose, key in keys.items() if key is not None}
    own = section.control_plane_keys
    if own is not None:
        stated |= {
            f"{_AT}.control-plane-keys.{key}": value
            for key, value in (
                ("cluster-ca", own.cluster_ca),
                ("aggregation-ca", own.aggregation_ca),
                ("etcd-api-ca", own.etcd_api_ca),
                ("etcd-peer-ca", own.etcd_peer_ca),
                ("control-plane-disks", own.control_plane_disks),
                ("etcd-backups", own.etcd_backups),
                *((f"token-signing[{index}]", one) for index, one in enumerate(own.token_signing)),
                *((f"token-verification[{index}]", one) for index, one in enumerate(own.token_verification)),
            )
        }
    for path, value in stated.items():
        place = value.split("/")[3]
        if place != region:
            yield Problem(path, value, f"in {place}: use one of {region}, where the cluster is")


def _network(section: Gke) -> Iterator[Problem]:
    network, path = section.network, f"{_AT}.network"
    ranges = {
        "nodes": IPv4Network(network.nodes),
        "pods": IPv4Network(network.pods),
        "services": IPv4Network(network.services),
    }
    for key, addresses in ranges.items():
        if not private(addresses):
            yield Problem(f"{path}.{key}", str(addresses), "no private network: use one such as 10.0.0.0/16")
    for (one, first), (other, second) in combinations(ranges.items(), 2):
        if first.overlaps(second):
            reason = f"has addresses of {one}, {first}: use a network apart from it"
            yield Problem(f"{path}.{other}", str(second), reason)
    yield from check_api_clients(network.api_clients, f"{path}.api-clients")


def _room(config: StackConfig, section: Gke) -> Iterator[Problem]:
    """Nodes for which the networks have no addresses."""
    network, path = section.network, f"{_AT}.network"
    needed = most_nodes(section) + sum(pool.nodes.max or 0 for pool in config.gpu_pools)
    for key, stated, room in (
        ("nodes", network.nodes, IPv4Network(network.nodes).num_addresses - NODES_RESERVED),
        ("pods", network.pods, IPv4Network(network.pods).num_addresses >> (32 - NODE_PODS)),
    ):
        if needed > room:
            reason = f"has addresses for {max(0, room)} nodes, and there may be {needed}: use a wider network"
            yield Problem(f"{path}.{key}", stated, reason)
    if IPv4Network(network.services).prefixlen > FEWEST_SERVICES:
        reason = f"too few addresses for the platform's own Services: use /{FEWEST_SERVICES} or wider"
        yield Problem(f"{path}.services", network.services, reason)


def _machine(nodes: GkeNodes, path: str) -> Iterator[Problem]:
    """A machine type that cannot be what the section says of it."""
    keys = {"machine_type": "machine", "disk_type": "disk-type"}
    for key, value, reason in misfits(nodes.machine, nodes.disk_type, confidential=nodes.confidential):
        yield Problem(f"{path}.{keys[key]}", value, reason)


def _labels(section: Gke) -> Iterator[Problem]:
    for key, reason in unfit_labels(section.labels):
        yield Problem(f"{_AT}.labels.{key}", key, reason)
    if len(section.labels) > MOST_LABELS:
        reason = f"what is made has 64, some of them not the stack's: use {MOST_LABELS} at most"
        yield Problem(f"{_AT}.labels", f"{len(section.labels)} labels", reason)


def _without_way_out(config: StackConfig, region: str) -> Iterator[Problem]:
    """Images, drivers and models that nodes without a way to the internet cannot reach."""
    registry, nat = config.sovereignty.registry, f"or {_AT}.network.egress: nat"
    own = repository(registry)
    yield from check_mirror(
        config,
        reached=own is not None and own.location == region,
        example=f"{region}-docker.pkg.dev/PROJECT/mirror",
        otherwise=nat,
    )
    if config.gpu_pools and config.cluster.precompiled_driver is None:
        yield Problem(
            "cluster.precompiled-driver",
            "missing",
            "nodes have no way to the internet, from where a driver that they compile has its packages: name "
            f"the branch of one in the mirror, such as 580, {nat}",
        )
    yield from check_sources(config, _inside, f"gs:// without an endpoint of its own, {nat}")


def _inside(source: str, origin: ModelSource | None) -> bool:
    """Whether a model's source is in Cloud Storage itself."""
    return scheme_of(source) is SourceScheme.GCS and (origin is None or origin.endpoint is None)
