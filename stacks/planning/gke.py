"""A cluster on GKE, from sections `cluster` and `sovereignty`."""

import re

from corral.catalogue.gke import ARTIFACT_REGISTRY, LEAST_NODES, LONGEST_NAME
from corral.stacks.config.stack_config import Cluster, Gke, Sovereignty
from corral.stacks.planning.results.gke import (
    GkeControlPlaneKeysPlan,
    GkeNetworkPlan,
    GkeNodesPlan,
    GkePlan,
    GoogleRepository,
)


def gke_plan(cluster: Cluster, sovereignty: Sovereignty, stack: str) -> GkePlan | None:
    """What a cluster of kind `gke` is made of; None: it is of another kind."""
    section = cluster.gke
    if section is None:
        return None
    keys = {
        "secrets": section.keys.secrets,
        "logs": section.keys.logs,
        "disks": section.keys.disks,
        "models": section.keys.models,
    }
    return GkePlan(
        name=section.name or cluster_name(stack),
        project=section.project,
        region=sovereignty.region_name,
        version=str(cluster.kubernetes),
        zones=tuple(sorted(section.zones)),
        nodes=_nodes(section),
        network=_network(section),
        key_project=section.keys.project,
        keys={purpose: key for purpose, key in keys.items() if key is not None},
        control_plane_keys=_control_plane_keys(section),
        channel=section.channel,
        own_issuer=section.own_issuer,
        restrict_locations=section.restrict_locations,
        log_days=section.log_days,
        labels=section.labels,
        mirror=repository(sovereignty.registry),
    )


def cluster_name(stack: str) -> str:
    """Name in Google Cloud of the cluster of `stack`, which may have characters that such a name has not.

    >>> cluster_name("gke-eu"), cluster_name("GKE.eu_")
    ('corral-gke-eu', 'corral-gke-eu')
    """
    return f"corral-{re.sub('[^a-z0-9-]', '-', stack.lower())}"[:LONGEST_NAME].rstrip("-")


def repository(registry: str | None) -> GoogleRepository | None:
    """The repository of Artifact Registry that `registry` is; None: it is none.

    >>> repository("europe-west3-docker.pkg.dev/acme/mirror/corral")
    GoogleRepository(location='europe-west3', project='acme', name='mirror')
    """
    matched = re.fullmatch(ARTIFACT_REGISTRY, registry or "")
    return None if matched is None else GoogleRepository(*matched.group("location", "project", "name"))


def least_nodes(section: Gke) -> int:
    """Fewest system nodes."""
    return section.system_nodes.min or LEAST_NODES


def most_nodes(section: Gke) -> int:
    """Most system nodes."""
    return section.system_nodes.max or 2 * least_nodes(section)


def _nodes(section: Gke) -> GkeNodesPlan:
    nodes = section.system_nodes
    return GkeNodesPlan(
        machine=nodes.machine,
        minimum=least_nodes(section),
        maximum=most_nodes(section),
        disk_gib=nodes.disk_gib,
        disk_type=nodes.disk_type,
        confidential=nodes.confidential,
    )


def _network(section: Gke) -> GkeNetworkPlan:
    network = section.network
    return GkeNetworkPlan(
        nodes=network.nodes,
        pods=network.pods,
        services=network.services,
        egress=network.egress,
        api_clients=network.api_clients,
    )


def _control_plane_keys(section: Gke) -> GkeControlPlaneKeysPlan | None:
    keys = section.control_plane_keys
    return None if keys is None else GkeControlPlaneKeysPlan(**dict(keys))
