"""What the state of a cluster means for the platform: one finding for each thing that was looked at."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from packaging.version import Version

from corral.catalogue.charts import charts_of
from corral.catalogue.networks import Enforcement, distributions
from corral.catalogue.vocabulary import Addon, PodEncryption
from corral.components.existing_cluster.args import ClusterFinding, FindingLevel
from corral.components.existing_cluster.connection import Connection, connect
from corral.components.existing_cluster.probe import Probed
from corral.components.existing_cluster.state import (
    CONSTRAINTS_GROUP,
    Agent,
    ClusterState,
    StorageClass,
    read_state,
)
from corral.controls.residency.res_06 import REGION_LABEL

_NUMBERS = re.compile(r"v?([0-9]+\.[0-9]+\.[0-9]+)")
_GPU_LABELS = ("nvidia.com/gpu.present", "feature.node.kubernetes.io/pci-10de.present")
"""Labels by which feature discovery says that a node has a GPU of NVIDIA."""
_GPU_RESOURCE = "nvidia.com/"
UNKNOWN_NETWORK = "unknown"
NETWORK_POLICY = "network-policy"
Trial = Callable[[Connection], Probed]


@dataclass(frozen=True)
class Requirements:
    """What is needed of a cluster."""

    kubernetes: str | None = None
    """Oldest version; None: any."""
    dra: bool = True
    storage_class: str | None = None
    """None: the default one."""
    gpu_nodes: Sequence[str] = ()
    encryption: PodEncryption | None = None
    """What encrypts between pods, as stated; None: nothing is stated."""
    dns_addresses: Sequence[str] = ()
    """Where pods are let ask for names, besides the DNS of `kube-system`."""
    regions: Sequence[str] = ()
    """Values of the label of nodes for their region, of which those with GPUs need one; empty: any."""
    network_policies: bool = False
    """Whether a cluster is refused whose NetworkPolicies were tried and do not hold."""


@dataclass(frozen=True)
class Examination:
    """A cluster, looked at."""

    state: ClusterState
    findings: Sequence[ClusterFinding]

    @property
    def refusals(self) -> list[str]:
        """One line for each thing without which the platform cannot run."""
        return [_shown(one) for one in self.findings if one["level"] is FindingLevel.REFUSED]

    @property
    def warnings(self) -> list[str]:
        """One line for each thing that is less than it should be."""
        return [_shown(one) for one in self.findings if one["level"] is FindingLevel.WARNING]

    @property
    def network(self) -> str:
        """Name of the network, where its objects show it."""
        agents = self.state.agents or ()
        return ", ".join(one.network.network for one in agents) or UNKNOWN_NETWORK


def examined(
    kubeconfig: str, context: str | None, needed: Requirements, tried: Trial | None = None
) -> Examination:
    """The cluster that a kubeconfig, its path or text, leads to, held against what is needed of it.

    tried: how its NetworkPolicies are tried; None: nothing is written to it.

    Raises:
        ClusterUnreachable: it cannot be read.
    """
    connection = connect(kubeconfig, context)
    try:
        state = read_state(connection)
        made = findings(state, needed)
        return Examination(state, made if tried is None else with_trial(made, tried(connection), needed))
    finally:
        connection.close()


def with_trial(made: Sequence[ClusterFinding], probed: Probed, needed: Requirements) -> list[ClusterFinding]:
    """The findings with what was seen of NetworkPolicies in the place of what was concluded."""
    broken = (
        FindingLevel.REFUSED if probed.enforced is False and needed.network_policies else FindingLevel.WARNING
    )
    level = FindingLevel.FINE if probed.enforced else broken
    seen = _finding(NETWORK_POLICY, level, probed.message, "two pods" if probed.enforced is not None else "")
    kept = [one for one in made if one["check"] != NETWORK_POLICY or probed.enforced is None]
    return [*kept, seen]


def findings(state: ClusterState, needed: Requirements) -> list[ClusterFinding]:
    """What there is to say of `state`, in a fixed order."""
    return [
        *_version(state, needed),
        *_distribution(state),
        *_dra(state, needed),
        *_network_policy(state),
        *_pod_encryption(state, needed),
        *_dns(state, needed),
        *_storage(state, needed),
        *_nodes(state, needed),
    ]


def _shown(one: ClusterFinding) -> str:
    return f"{one['check']}: {one['message']}"


def _finding(check: str, level: FindingLevel, message: str, evidence: str = "") -> ClusterFinding:
    return {"check": check, "level": level, "message": message, "evidence": evidence}


def _version(state: ClusterState, needed: Requirements) -> Iterator[ClusterFinding]:
    evidence = f"/version of {state.server}"
    match = _NUMBERS.match(state.version)
    if match is None:
        yield _finding("version", FindingLevel.REFUSED, f"{state.version!r} is no version", evidence)
        return
    for floor, reason in _floors(needed):
        if Version(match[1]) < Version(floor):
            message = f"the cluster is {state.version}; {reason} needs {floor} or newer"
            yield _finding("version", FindingLevel.REFUSED, message, evidence)
            return
    yield _finding("version", FindingLevel.FINE, f"the cluster is {state.version}", evidence)


def _floors(needed: Requirements) -> Iterator[tuple[str, str]]:
    if needed.kubernetes is not None:
        yield needed.kubernetes, "this program"
    if needed.dra:
        for entry in charts_of(Addon.DRA_DRIVER):
            if entry.kubernetes is not None:
                yield entry.kubernetes, f"the DRA driver {entry.version} (or dra: False)"


def _distribution(state: ClusterState) -> Iterator[ClusterFinding]:
    if state.constraints:
        message = (
            "this is OpenShift: its security context constraints refuse pods that name their user, and "
            "its DNS is where no policy of the platform lets pods ask; use another cluster"
        )
        yield _finding("distribution", FindingLevel.REFUSED, message, f"/apis/{CONSTRAINTS_GROUP}")


def _dra(state: ClusterState, needed: Requirements) -> Iterator[ClusterFinding]:
    if not needed.dra:
        return
    served = ", ".join(state.dra_versions) or "nothing"
    evidence = "/apis/resource.k8s.io"
    if "v1" in state.dra_versions:
        yield _finding("dra", FindingLevel.FINE, f"resource.k8s.io serves {served}", evidence)
    else:
        message = f"resource.k8s.io serves {served}, and v1 is needed; upgrade the cluster, or use dra: False"
        yield _finding("dra", FindingLevel.REFUSED, message, evidence)


def _network_policy(state: ClusterState) -> Iterator[ClusterFinding]:
    check = NETWORK_POLICY
    if state.agents is None:
        message = "DaemonSets may not be listed, so whether NetworkPolicies are enforced is not known"
        yield _finding(check, FindingLevel.WARNING, message)
        return
    verdicts = [(one, _enforces(one)) for one in state.agents]
    for agent, enforced in verdicts:
        if enforced:
            message = f"{agent.network.network} enforces NetworkPolicies; that one holds was not tried"
            yield _finding(check, FindingLevel.FINE, message, _named(agent))
            return
    for agent, _ in verdicts:
        message = (
            f"{agent.network.network} does not enforce NetworkPolicies as it is set: "
            "switch that on, or the policies of the platform are text alone"
        )
        yield _finding(check, FindingLevel.WARNING, message, _named(agent))
        return
    for sign, distribution in distributions().items():
        if sign in state.version:
            message = f"assumed by the version {state.version}: {distribution.network}"
            yield _finding(check, FindingLevel.WARNING, message)
            return
    message = "no network that is known to enforce NetworkPolicies was seen; assume that none is enforced"
    yield _finding(check, FindingLevel.WARNING, message)


def _pod_encryption(state: ClusterState, needed: Requirements) -> Iterator[ClusterFinding]:
    """What the network's settings say of encryption, beside what is stated."""
    check, stated = "pod-encryption", needed.encryption
    shown = [one for one in state.agents or () if one.network.encryption]
    for one in shown:
        network, seen = one.network.network, one.encryption
        if seen is not None:
            message = f"{network} encrypts between nodes by {seen.value}; no packet was looked at"
            yield _finding(check, FindingLevel.FINE, message, _named(one))
        elif stated is not None and stated in one.network.encryption:
            message = (
                f"{stated.value} is stated, and {network} is set to none: switch it on, or state what is so"
            )
            yield _finding(check, FindingLevel.REFUSED, message, _named(one))
    if not shown and stated is not None:
        yield _finding(check, FindingLevel.FINE, f"{stated.value}, as stated: nothing here shows it")


def _dns(state: ClusterState, needed: Requirements) -> Iterator[ClusterFinding]:
    """Whether pods may ask the caches of names that answer them."""
    for one in state.caches:
        lacking = [address for address in one.addresses if address not in needed.dns_addresses]
        answers = f"{one.name} answers on each node's own network at {', '.join(one.addresses)}"
        evidence = f"DaemonSet {one.namespace}/{one.name}"
        if lacking:
            message = (
                f"{answers}; where NetworkPolicies are enforced no pod may ask it at {', '.join(lacking)}: "
                "name all of them in dns-addresses"
            )
            yield _finding("dns", FindingLevel.WARNING, message, evidence)
        else:
            yield _finding("dns", FindingLevel.FINE, f"{answers}, where pods may ask", evidence)


def _enforces(agent: Agent) -> bool:
    network = agent.network
    if network.enforces is not Enforcement.SWITCHED:
        return network.enforces is Enforcement.ALWAYS
    if network.config_map is not None:
        return agent.setting != network.config_map.off
    switch = network.argument
    if switch is None:
        return False
    return f"{switch.name}={switch.on}" in agent.arguments.get(switch.container, ())


def _named(agent: Agent) -> str:
    return f"DaemonSet {agent.namespace}/{agent.name}"


def _storage(state: ClusterState, needed: Requirements) -> Iterator[ClusterFinding]:
    check = "storage-class"
    if state.classes is None:
        yield _finding(check, FindingLevel.WARNING, "storage classes may not be listed")
        return
    chosen = chosen_class(state, needed)
    listed = ", ".join(one.name for one in state.classes) or "none"
    if chosen is None and needed.storage_class is not None:
        message = f"there is no {needed.storage_class}; there are {listed}"
        yield _finding(check, FindingLevel.REFUSED, message, "StorageClasses")
    elif chosen is None:
        message = f"there is no default; name one of {listed}"
        yield _finding(check, FindingLevel.WARNING, message, "StorageClasses")
    else:
        yield from _quality(chosen, state)


def chosen_class(state: ClusterState, needed: Requirements) -> StorageClass | None:
    """The class of the platform's volumes: the named one, or the default."""
    for one in state.classes or ():
        if one.name == needed.storage_class if needed.storage_class is not None else one.default:
            return one
    return None


def _quality(chosen: StorageClass, state: ClusterState) -> Iterator[ClusterFinding]:
    evidence = f"StorageClass {chosen.name}"
    if chosen.expands:
        yield _finding("storage-class", FindingLevel.FINE, f"{chosen.name}: volumes can grow", evidence)
    else:
        message = f"{chosen.name} has no allowVolumeExpansion: a volume that is full cannot grow"
        yield _finding("storage-class", FindingLevel.WARNING, message, evidence)
    drivers = state.snapshot_drivers
    if drivers is not None and chosen.provisioner in drivers:
        message = f"volumes of {chosen.provisioner} can be snapshotted"
        yield _finding("snapshots", FindingLevel.FINE, message, "VolumeSnapshotClasses")
    else:
        message = (
            f"no VolumeSnapshotClass is of {chosen.provisioner}: volumes cannot be backed up by snapshots"
        )
        yield _finding("snapshots", FindingLevel.WARNING, message, "VolumeSnapshotClasses")


def _nodes(state: ClusterState, needed: Requirements) -> Iterator[ClusterFinding]:
    if state.nodes is None:
        if needed.gpu_nodes:
            yield _finding("nodes", FindingLevel.WARNING, "nodes may not be listed")
        return
    for name in needed.gpu_nodes:
        node, evidence = state.nodes.get(name), f"Node {name}"
        if node is None:
            known = ", ".join(sorted(state.nodes)[:8]) or "none"
            message = f"there is no node {name}; there are {known}"
            yield _finding("nodes", FindingLevel.REFUSED, message, "Nodes")
            continue
        if needed.regions and (region := node.labels.get(REGION_LABEL)) not in needed.regions:
            message = (
                f"node {name} has {REGION_LABEL}={region or ''}, and pods with classified data run in "
                f"{' or '.join(needed.regions)} alone: label it, if it is there"
            )
            yield _finding("nodes", FindingLevel.REFUSED, message, evidence)
            continue
        labelled = any(node.labels.get(one) == "true" for one in _GPU_LABELS)
        counted = any(one.startswith(_GPU_RESOURCE) for one in node.allocatable)
        if not node.ready:
            yield _finding("nodes", FindingLevel.WARNING, f"node {name} is not ready", evidence)
        elif labelled or counted:
            yield _finding("nodes", FindingLevel.FINE, f"node {name} has GPUs", evidence)
        else:
            message = (
                f"node {name} shows no GPU yet: neither feature discovery nor a device plugin has seen one"
            )
            yield _finding("nodes", FindingLevel.WARNING, message, evidence)
