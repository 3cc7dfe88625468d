"""GPU nodes on GKE: a node pool in one zone of a Standard cluster."""

import re
from collections.abc import Iterator
from typing import NotRequired

import pulumi
import pulumi_gcp as gcp

from corral.components._kit import ArgsError, checked, child, token
from corral.components.gpu_node_pool.cloud import (
    CloudPool,
    driver_of,
    mig_config_of,
    problems,
    settled,
    under_dra,
    warnings,
)
from corral.components.gpu_node_pool.cloud_args import (
    CloudGpuNodePoolArgs,
    GpuDevices,
    NodeDisk,
    PoolCapacity,
    PoolSize,
)
from corral.components.gpu_node_pool.gke_nodes import (
    RULES,
    driver_problems,
    gke_warnings,
    node_config,
    node_identity,
    node_labels,
    size_arguments,
)
from corral.components.gpu_node_pool.node_labels import TAINT

ZONE = re.compile(r"[a-z]+-[a-z]+[0-9]+-[a-z]")


class GkeGpuNodePoolArgs(CloudGpuNodePoolArgs):
    """Which machines make up the pool, and how they join a GKE cluster."""

    # Said again: the package schema takes descriptions from the class itself alone.
    pool: str
    """Name of the pool, which its nodes carry as a label."""
    gpu: str
    """Key of the GPU in the catalogue, such as `H100-80GB`."""
    machine_type: str
    """Machine type of the catalogue with that GPU, such as `a3-highgpu-8g`."""
    cluster: pulumi.Input[str]
    """Id of the cluster that the nodes join: `projects/…/locations/…/clusters/…`."""
    zone: pulumi.Input[str]
    """Zone of the nodes, such as `europe-west4-b`: where the GPUs, or the reservation, are."""
    disk: NotRequired[NodeDisk]
    """Disk of each node; its `key` is needed unless `cloud_key` is true."""
    size: NotRequired[PoolSize]
    """Number of nodes; one, always, when omitted."""
    capacity: NotRequired[PoolCapacity]
    """Where the machines come from; on demand, from no reservation, when omitted."""
    devices: NotRequired[GpuDevices]
    """How the GPUs become usable; whole, and handed out by the DRA driver, when omitted."""
    secure_boot: NotRequired[bool]
    """False: unsigned kernel modules may be loaded, as the operator's driver mostly is."""
    signed_driver: NotRequired[bool]
    """True: the operator's driver is precompiled and signed, which secure boot loads; false when omitted."""
    subnetwork: NotRequired[pulumi.Input[str]]
    """Subnetwork of the nodes, `projects/…/regions/…/subnetworks/…`; the cluster's when omitted."""


class GkeGpuNodePool(pulumi.ComponentResource):
    """Shielded GPU nodes with encrypted disks and no public addresses, on a GKE cluster that is there."""

    name: pulumi.Output[str]
    """Name of the node pool."""
    labels: pulumi.Output[dict[str, str]]
    """Labels that the nodes carry."""
    taint: pulumi.Output[dict[str, str]]
    """What keeps pods off the nodes that did not ask for a GPU: `key`, `value` and `effect`."""
    identity: pulumi.Output[str]
    """Email of the service account that the nodes run as; let it read where the images are."""

    def __init__(self, name: str, args: GkeGpuNodePoolArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, GkeGpuNodePoolArgs, name)
        pool, secure_boot = gke_pool(args, name), args.get("secure_boot", True)
        super().__init__(token(type(self)), name, {}, opts)
        unsigned = secure_boot and not args.get("signed_driver", False)
        for line in (*warnings(pool), *gke_warnings(pool, unsigned=unsigned)):
            pulumi.log.warn(line, self)
        account, rights = node_identity(self, name, pool)
        config = node_config(pool, account, secure_boot=secure_boot)
        self.name = self._pool(name, args, pool, config, rights).name
        self.labels = pulumi.Output.from_input(node_labels(pool))
        self.taint = pulumi.Output.from_input(TAINT)
        self.identity = account.email
        self.register_outputs(
            {"name": self.name, "labels": self.labels, "taint": self.taint, "identity": self.identity}
        )

    def _pool(
        self,
        name: str,
        args: GkeGpuNodePoolArgs,
        pool: CloudPool,
        config: gcp.container.NodePoolNodeConfigArgs,
        rights: pulumi.Resource,
    ) -> gcp.container.NodePool:
        return gcp.container.NodePool(
            f"{name}-nodes",
            cluster=args["cluster"],
            node_locations=[args["zone"]],
            node_config=config,
            network_config=gcp.container.NodePoolNetworkConfigArgs(
                enable_private_nodes=True, subnetwork=args.get("subnetwork")
            ),
            management=gcp.container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
            # Spare machines with GPUs are seldom there: a node goes before the next one comes.
            upgrade_settings=gcp.container.NodePoolUpgradeSettingsArgs(
                strategy="SURGE", max_surge=0, max_unavailable=1
            ),
            # The number at the start is one that cannot change without another pool.
            opts=child(self, depends_on=[rights], ignore_changes=["initialNodeCount"]),
            **size_arguments(pool),
        )


def gke_pool(args: GkeGpuNodePoolArgs, owner: str) -> CloudPool:
    """The pool that `args` ask for, with every default filled in.

    Raises:
        ArgsError: with one line for each thing that cannot be, or that does not combine.
    """
    machine = args["machine_type"]
    refusals = [
        *problems(args, machine, RULES, owner),
        *_place_problems(args, owner),
        *driver_problems(
            args["gpu"],
            machine,
            driver_of(args, RULES),
            mig_config_of(args),
            dra=under_dra(args),
            owner=owner,
        ),
    ]
    if refusals:
        raise ArgsError("\n".join(refusals))
    return settled(args, machine, RULES)


def _place_problems(args: GkeGpuNodePoolArgs, owner: str) -> Iterator[str]:
    """Names that Google would complete by the provider's project and region, or would not take."""
    paths = {"cluster": args["cluster"], "disk.key": args.get("disk", {}).get("key")}
    for where, value in paths.items():
        if isinstance(value, str) and not value.startswith("projects/"):
            yield f"{owner}.{where}: {value!r}; use the id, which begins with projects/"
    if isinstance(args["zone"], str) and not ZONE.fullmatch(args["zone"]):
        yield f"{owner}.zone: {args['zone']!r}; use a zone, such as europe-west4-b"
