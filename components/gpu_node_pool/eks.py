"""GPU nodes on EKS: a managed node group, or a pool that Karpenter fills."""

from collections.abc import Iterator
from typing import NotRequired

import pulumi

from corral.components._kit import ArgsError, checked, token
from corral.components.gpu_node_pool.cloud import (
    CloudPool,
    CloudRules,
    driver_of,
    least_of,
    mig_config_of,
    problems,
    profile_of,
    settled,
    under_dra,
    warnings,
)
from corral.components.gpu_node_pool.cloud_args import (
    CloudGpuNodePoolArgs,
    CloudPurchase,
    GpuDevices,
    NodeDisk,
    PoolCapacity,
    PoolSize,
)
from corral.components.gpu_node_pool.eks_fabric import fabric, fabric_problems
from corral.components.gpu_node_pool.eks_group import managed_group
from corral.components.gpu_node_pool.eks_karpenter import karpenter_pool
from corral.components.gpu_node_pool.eks_nodes import (
    CustomImage,
    EksImage,
    EksImageWord,
    EksNodes,
    EksScaler,
    EksScalerWord,
    SubnetIds,
    cluster_group,
    image_problems,
    node_role,
    rules_of,
)
from corral.components.gpu_node_pool.node_labels import TAINT

MADE_BY = {EksScaler.CLUSTER_AUTOSCALER: managed_group, EksScaler.KARPENTER: karpenter_pool}


class EksGpuNodePoolArgs(CloudGpuNodePoolArgs):
    """Which machines make up the pool, and how they join an EKS cluster."""

    # Said again: the package schema takes descriptions from the class itself alone.
    pool: str
    """Name of the pool, which its nodes carry as a label."""
    gpu: str
    """Key of the GPU in the catalogue, such as `H100-80GB`."""
    instance_type: str
    """Machine type of the catalogue with that GPU, such as `p5.48xlarge`."""
    cluster: pulumi.Input[str]
    """Name of the cluster that the nodes join."""
    subnets: SubnetIds
    """Ids of private subnets, such as an `EksCluster`'s; a capacity block takes the one in its zone."""
    disk: NotRequired[NodeDisk]
    """Disk of each node; its `key` is needed unless `cloud_key` is true."""
    size: NotRequired[PoolSize]
    """Number of nodes; when omitted one, always, or with Karpenter one at most."""
    capacity: NotRequired[PoolCapacity]
    """Where the machines come from; on demand when omitted."""
    devices: NotRequired[GpuDevices]
    """How the GPUs become usable; whole, and handed out by the DRA driver, when omitted."""
    scaler: NotRequired[EksScalerWord]
    """Who adds and removes nodes; `cluster-autoscaler`, with a managed node group, when omitted."""
    image: NotRequired[EksImageWord]
    """AWS's image with the driver in it; `al2023` when omitted."""
    image_release: NotRequired[str]
    """Release of that image; when omitted the newest, with which Karpenter replaces older nodes."""
    custom_image: NotRequired[CustomImage]
    """An image of yours in place of AWS's, needed where the operator brings the driver."""
    security_groups: NotRequired[list[pulumi.Input[str]]]
    """Ids of the nodes' security groups; the cluster's own when omitted."""
    efa: NotRequired[bool]
    """True: the nodes have every interface of AWS's Elastic Fabric Adapter that their type has.

    They are near each other in one placement group, unless a reservation says where they are. Pods get the
    interfaces from AWS's device plugin (`EfaDevicePlugin`).
    """
    cni_on_node: NotRequired[bool]
    """True: the cluster's VPC CNI has no role of its own, so that the nodes carry its rights."""


class EksGpuNodePool(pulumi.ComponentResource):
    """GPU nodes with encrypted disks and without public addresses, on an EKS cluster that is there."""

    name: pulumi.Output[str]
    """Name of the node group, or of Karpenter's NodePool."""
    labels: pulumi.Output[dict[str, str]]
    """Labels that the nodes carry."""
    taint: pulumi.Output[dict[str, str]]
    """What keeps pods off the nodes that did not ask for a GPU: `key`, `value` and `effect`."""
    identity: pulumi.Output[str]
    """ARN of the role that the nodes run as."""

    def __init__(self, name: str, args: EksGpuNodePoolArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, EksGpuNodePoolArgs, name)
        pool = eks_pool(args, name)
        super().__init__(token(type(self)), name, {}, opts)
        for line in warnings(pool):
            pulumi.log.warn(line, self)
        nodes = self._nodes(name, args, pool)
        self.name = MADE_BY[_scaler(args)](self, name, pool, nodes)
        self.labels = pulumi.Output.from_input({**pool.labels, **pool.mig_label})
        self.taint = pulumi.Output.from_input(TAINT)
        self.identity = nodes.role.arn
        self.register_outputs(
            {"name": self.name, "labels": self.labels, "taint": self.taint, "identity": self.identity}
        )

    def _nodes(self, name: str, args: EksGpuNodePoolArgs, pool: CloudPool) -> EksNodes:
        return EksNodes(
            cluster=args["cluster"],
            role=node_role(self, name, pool, cni=args.get("cni_on_node", False)),
            subnets=args["subnets"],
            security_groups=args.get("security_groups") or [cluster_group(self, args["cluster"])],
            image=EksImage(args.get("image", EksImage.AL2023)),
            release=args.get("image_release"),
            custom=args.get("custom_image"),
            fabric=fabric(self, name, pool, args["cluster"]) if args.get("efa") else None,
        )


def eks_pool(args: EksGpuNodePoolArgs, owner: str) -> CloudPool:
    """The pool that `args` ask for, with every default filled in.

    Raises:
        ArgsError: with one line for each thing that cannot be, or that does not combine.
    """
    rules = rules_of(_scaler(args))
    refusals = [*problems(args, args["instance_type"], rules, owner), *_eks_problems(args, owner)]
    if refusals:
        raise ArgsError("\n".join(refusals))
    return settled(args, args["instance_type"], rules)


def _scaler(args: EksGpuNodePoolArgs) -> EksScaler:
    return EksScaler(args.get("scaler", EksScaler.CLUSTER_AUTOSCALER))


def _eks_problems(args: EksGpuNodePoolArgs, owner: str) -> Iterator[str]:
    rules, mig_config = rules_of(_scaler(args)), mig_config_of(args)
    yield from image_problems(
        EksImage(args["image"]) if "image" in args else None,
        args.get("custom_image"),
        driver_of(args, rules),
        dra=under_dra(args),
        mig=mig_config is not None,
        owner=owner,
    )
    yield from _subnet_problems(args, owner)
    if args.get("efa"):
        karpenter = _scaler(args) is EksScaler.KARPENTER
        yield from fabric_problems(args["instance_type"], args["subnets"], karpenter=karpenter, owner=owner)
    yield from SCALER_PROBLEMS[_scaler(args)](args, rules, owner)


def _subnet_problems(args: EksGpuNodePoolArgs, owner: str) -> Iterator[str]:
    subnets = args["subnets"]
    # Those of a cluster of the same program are counted by AWS.
    if not isinstance(subnets, list):
        return
    if not subnets:
        yield f"{owner}.subnets: empty; give at least one"
    purchase = args.get("capacity", {}).get("purchase")
    if purchase == CloudPurchase.CAPACITY_BLOCK and len(subnets) > 1:
        yield f"{owner}.subnets: {len(subnets)}; a capacity block is in one zone: give its subnet"


def _group_problems(args: EksGpuNodePoolArgs, rules: CloudRules, owner: str) -> Iterator[str]:
    mig_config = mig_config_of(args)
    announced = mig_config is None or profile_of(args["gpu"], mig_config) is not None
    if not announced and not under_dra(args) and least_of(args, rules) == 0:
        yield (
            f"{owner}.devices.mig_config: {mig_config!r} does not tell an autoscaler what a node offers; "
            "use all-<profile>, or size.min 1"
        )


def _karpenter_problems(args: EksGpuNodePoolArgs, rules: CloudRules, owner: str) -> Iterator[str]:
    if least_of(args, rules) != 0:
        yield f"{owner}.size.min: {least_of(args, rules)}; Karpenter keeps no node that is empty: use 0"
    if mig_config_of(args) is not None and not under_dra(args):
        yield (
            f"{owner}.devices.mig_config: Karpenter adds no node for a slice of a GPU; "
            "use scaler cluster-autoscaler, or leave it out"
        )


SCALER_PROBLEMS = {
    EksScaler.CLUSTER_AUTOSCALER: _group_problems,
    EksScaler.KARPENTER: _karpenter_problems,
}
