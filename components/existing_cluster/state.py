"""What is read of a cluster before anything is written to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

from corral.catalogue.networks import Network, networks
from corral.catalogue.vocabulary import PodEncryption
from corral.components.existing_cluster.connection import Connection, Fields

DRA_GROUP = "resource.k8s.io"
CONSTRAINTS_GROUP = "security.openshift.io"
CACHE_IMAGE = "k8s-dns-node-cache"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class Agent:
    """The DaemonSet of a network that the catalogue knows."""

    name: str
    namespace: str
    network: Network
    arguments: Mapping[str, Sequence[str]]
    """Arguments of each container."""
    setting: str | None
    """Value of the key that switches it, in its ConfigMap; None: there is none."""
    encryption: PodEncryption | None = None
    """How it encrypts between nodes, by its ConfigMap; None: it does not, or nothing there says so."""


@dataclass(frozen=True)
class NameCache:
    """A DaemonSet of NodeLocal DNSCache on the network of its nodes, which no selector of pods takes."""

    name: str
    namespace: str
    addresses: Sequence[str]
    """Where it answers (`-localip`)."""


@dataclass(frozen=True)
class StorageClass:
    """A storage class."""

    name: str
    provisioner: str
    default: bool
    expands: bool


@dataclass(frozen=True)
class Node:
    """A node."""

    name: str
    labels: Mapping[str, str]
    ready: bool
    allocatable: frozenset[str]


@dataclass(frozen=True)
class ClusterState:
    """A cluster as it was read; None: this identity may not read that."""

    server: str
    version: str
    """As the API server says it, such as `v1.35.0+k3s1`."""
    dra_versions: Sequence[str]
    """Versions of the group `resource.k8s.io` that are served."""
    agents: Sequence[Agent] | None
    classes: Sequence[StorageClass] | None
    snapshot_drivers: frozenset[str] | None
    """Drivers that a VolumeSnapshotClass names; None: the API of snapshots is not served, or not read."""
    nodes: Mapping[str, Node] | None
    caches: Sequence[NameCache] = ()
    """Empty where DaemonSets may not be listed."""
    constraints: bool = False
    """Whether it serves the security context constraints of OpenShift."""


def read_state(connection: Connection) -> ClusterState:
    """The state of the cluster behind `connection`.

    Raises:
        ClusterUnreachable: it cannot be read.
    """
    version = connection.read("/version") or {}
    group = connection.read(f"/apis/{DRA_GROUP}") or {}
    daemons = connection.items("/apis/apps/v1/daemonsets")
    classes = connection.items("/apis/storage.k8s.io/v1/storageclasses")
    snapshots = connection.items("/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses")
    nodes = connection.items("/api/v1/nodes")
    return ClusterState(
        server=connection.server,
        version=str(version.get("gitVersion") or ""),
        dra_versions=[str(one["version"]) for one in group.get("versions") or ()],
        agents=None if daemons is None else _agents(connection, daemons),
        caches=[one for daemon in daemons or () for one in _caches(daemon)],
        classes=None if classes is None else [_storage_class(one) for one in classes],
        snapshot_drivers=None if snapshots is None else frozenset(str(one["driver"]) for one in snapshots),
        nodes=None if nodes is None else {one.name: one for one in map(_node, nodes)},
        constraints=connection.read(f"/apis/{CONSTRAINTS_GROUP}") is not None,
    )


def _agents(connection: Connection, daemons: Sequence[Fields]) -> list[Agent]:
    known = networks()
    return [_agent(connection, one) for one in daemons if str(one["metadata"]["name"]) in known]


def _agent(connection: Connection, daemon: Fields) -> Agent:
    name, namespace = str(daemon["metadata"]["name"]), str(daemon["metadata"]["namespace"])
    network = networks()[name]
    containers = cast("Sequence[Fields]", daemon["spec"]["template"]["spec"].get("containers") or ())
    setting, encryption = None, None
    if network.config_map is not None:
        path = f"/api/v1/namespaces/{namespace}/configmaps/{network.config_map.name}"
        data = cast("Mapping[str, Any]", (connection.read(path) or {}).get("data") or {})
        setting = data.get(network.config_map.key)
        switches = network.encryption.items()
        encryption = next((word for word, key in switches if str(data.get(key)).lower() == "true"), None)
    return Agent(
        name,
        namespace,
        network,
        {
            str(one["name"]): [*map(str, one.get("command") or ()), *map(str, one.get("args") or ())]
            for one in containers
        },
        None if setting is None else str(setting),
        encryption,
    )


def _caches(daemon: Fields) -> Iterator[NameCache]:
    """The cache of names that a DaemonSet is, if it is one."""
    spec = cast("Mapping[str, Any]", daemon["spec"]["template"]["spec"])
    if not spec.get("hostNetwork"):
        return
    for container in cast("Sequence[Fields]", spec.get("containers") or ()):
        if CACHE_IMAGE in str(container.get("image")):
            told = (*(container.get("command") or ()), *(container.get("args") or ()))
            stated = [part for one in told for part in str(one).split("=", 1)]
            where = next((value for flag, value in pairwise(stated) if flag.lstrip("-") == "localip"), "")
            metadata = daemon["metadata"]
            addresses = [one.strip() for one in where.split(",") if one.strip()]
            yield NameCache(str(metadata["name"]), str(metadata["namespace"]), addresses)


def _storage_class(one: Fields) -> StorageClass:
    metadata = cast("Mapping[str, Any]", one["metadata"])
    annotations = cast("Mapping[str, str]", metadata.get("annotations") or {})
    return StorageClass(
        str(metadata["name"]),
        str(one["provisioner"]),
        annotations.get(DEFAULT_CLASS) == "true",
        bool(one.get("allowVolumeExpansion")),
    )


def _node(one: Fields) -> Node:
    metadata = cast("Mapping[str, Any]", one["metadata"])
    status = cast("Mapping[str, Any]", one.get("status") or {})
    conditions = cast("Sequence[Mapping[str, str]]", status.get("conditions") or ())
    return Node(
        str(metadata["name"]),
        cast("Mapping[str, str]", metadata.get("labels") or {}),
        any(each["type"] == "Ready" and each["status"] == "True" for each in conditions),
        frozenset(cast("Mapping[str, str]", status.get("allocatable") or {})),
    )
