"""What a pool of GPU nodes in a cloud is asked, whichever cloud."""

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

import pulumi

from corral.components._words import AddonStateWord, DriverSourceWord
from corral.components.gpu_node_pool.node_labels import GpuNodePoolArgs, HourlyPrice


class CloudPurchase(StrEnum):
    """How a cloud's machines are paid for."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVED = "reserved"
    CAPACITY_BLOCK = "capacity-block"


if TYPE_CHECKING:
    CloudPurchaseWord = CloudPurchase | Literal["on-demand", "spot", "reserved", "capacity-block"]
else:
    CloudPurchaseWord = CloudPurchase


class PoolSize(TypedDict):
    """How many nodes a pool has."""

    min: NotRequired[int]
    """Fewest nodes, 0 or more; 1 when omitted."""
    max: NotRequired[int]
    """Most nodes, 1 or more; as many as the fewest when omitted."""
    desired: NotRequired[int]
    """Nodes at the start, which an autoscaler changes afterwards; the fewest when omitted."""


class PoolCapacity(TypedDict):
    """Where a pool's machines come from."""

    purchase: NotRequired[CloudPurchaseWord]
    """How they are paid for; `on-demand` when omitted."""
    reservation: NotRequired[pulumi.Input[str]]
    """What was reserved: id of a capacity reservation or block on AWS, name of a reservation on Google."""
    node_hour: NotRequired[HourlyPrice]
    """Price of a node under a contract, which a budget counts; the list's for its purchase when omitted."""


class NodeDisk(TypedDict):
    """The disk of a node, for its system, images and the files of pods."""

    gib: NotRequired[int]
    """Size in GiB; 200 when omitted."""
    key: NotRequired[pulumi.Input[str]]
    """Customer's key that encrypts it: ARN of a KMS key, or id of a Cloud KMS key.

    The cloud's own services must be allowed to use it: on AWS the role AWSServiceRoleForAutoScaling (or
    Karpenter's), on Google the service agent of Compute Engine.
    """
    cloud_key: NotRequired[bool]
    """True: there is no customer's key, and the disk lies under one that the cloud holds."""


class GpuDevices(TypedDict):
    """How the GPUs of a node become usable."""

    mig_config: NotRequired[str]
    """Name of the MIG configuration, such as `all-1g.10gb`; whole GPUs when omitted."""
    driver: NotRequired[DriverSourceWord]
    """Who brings the driver; when omitted the node image on EKS, and on GKE the operator."""
    dra_driver: NotRequired[AddonStateWord]
    """Who answers for the DRA driver, `managed` when omitted; `off`: a device plugin hands out the GPUs."""
    startup_taint: NotRequired[bool]
    """True: nodes start with a taint that something in the cluster must remove once the driver is ready."""


class CloudGpuNodePoolArgs(GpuNodePoolArgs):
    """What every pool of GPU nodes in a cloud needs to know."""

    gpu: str
    """Key of the GPU in the catalogue, such as `H100-80GB`."""
    cluster: pulumi.Input[str]
    """Cluster that the nodes join."""
    disk: NotRequired[NodeDisk]
    """Disk of each node; its `key` is needed unless `cloud_key` is true."""
    size: NotRequired[PoolSize]
    """Number of nodes; one, always, when omitted."""
    capacity: NotRequired[PoolCapacity]
    """Where the machines come from; on demand when omitted."""
    devices: NotRequired[GpuDevices]
    """How the GPUs become usable; whole, and handed out by the DRA driver, when omitted."""
