"""What nodes on EKS have in common, whoever adds them: image, role, network and volumes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from corral.catalogue.vocabulary import Cloud, DriverSource
from corral.components._aws import ServiceRole, role_with, trust
from corral.components.gpu_node_pool.cloud import CloudPool, CloudRules
from corral.components.gpu_node_pool.cloud_args import CloudPurchase
from corral.controls.cost.groups import NODE_HOUR

NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
"""What a kubelet needs: to describe its instance, and to pull images."""
CNI_POLICY = "AmazonEKS_CNI_Policy"
SYSTEM_GIB = 4
"""Bottlerocket's system volume; images and pods are on its data volume."""


class EksScaler(StrEnum):
    """Who adds and removes nodes on EKS."""

    CLUSTER_AUTOSCALER = "cluster-autoscaler"
    KARPENTER = "karpenter"


if TYPE_CHECKING:
    EksScalerWord = EksScaler | Literal["cluster-autoscaler", "karpenter"]
else:
    EksScalerWord = EksScaler


class EksImage(StrEnum):
    """AWS's node images with the NVIDIA driver in them."""

    AL2023 = "al2023"
    BOTTLEROCKET = "bottlerocket"


if TYPE_CHECKING:
    EksImageWord = EksImage | Literal["al2023", "bottlerocket"]
else:
    EksImageWord = EksImage


if TYPE_CHECKING:
    # Of a sequence, which an output of `list[str]` is as well.
    SubnetIds = pulumi.Input[Sequence[pulumi.Input[str]]]
else:
    SubnetIds = pulumi.Input[list[pulumi.Input[str]]]


class CustomImage(TypedDict):
    """A node image of one's own."""

    id: pulumi.Input[str]
    """Id of the machine image."""
    user_data: pulumi.Input[str]
    """What joins the node to the cluster, with the pool's labels and taint; plain text."""
    root_device: NotRequired[str]
    """Device of its root volume; `/dev/sda1`, as on Ubuntu, when omitted."""


RULES = CloudRules(
    cloud=Cloud.AWS,
    service="EKS",
    machine_key="instance_type",
    driver=DriverSource.NODE_IMAGE,
    purchases=frozenset(CloudPurchase),
)


def rules_of(scaler: EksScaler) -> CloudRules:
    """Karpenter keeps no minimum: its pools are empty until a pod waits."""
    return replace(RULES, least=0) if scaler is EksScaler.KARPENTER else RULES


@dataclass(frozen=True)
class Fabric:
    """The Elastic Fabric Adapter of a pool's nodes."""

    group: pulumi.Output[str]
    """Security group that admits its own members alone, in both directions, as the fabric needs."""
    placement: pulumi.Output[str] | None
    """Placement group that keeps nodes near each other; None: a reservation has decided where they are."""


@dataclass(frozen=True)
class EksNodes:
    """Where and as what the nodes of a pool run."""

    cluster: pulumi.Input[str]
    role: ServiceRole
    subnets: SubnetIds
    security_groups: Sequence[pulumi.Input[str]]
    image: EksImage
    release: str | None
    """None: the newest."""
    custom: CustomImage | None
    fabric: Fabric | None = None


def volumes(pool: CloudPool, nodes: EksNodes) -> dict[str, int]:
    """Size in GiB of each volume by device."""
    if nodes.custom is not None:
        return {nodes.custom.get("root_device", "/dev/sda1"): pool.disk_gib}
    if nodes.image is EksImage.BOTTLEROCKET:
        return {"/dev/xvda": SYSTEM_GIB, "/dev/xvdb": pool.disk_gib}
    return {"/dev/xvda": pool.disk_gib}


def scaled(least: int, most: int) -> list[str]:
    """Inputs of a group that an autoscaler may have changed since; where it cannot, they follow `least`.

    EKS refuses a least number above the present one (terraform-aws-modules/terraform-aws-eks, issue 2508).
    """
    return [] if least == most else ["scalingConfig.desiredSize"]


def tags(pool: CloudPool) -> dict[str, str]:
    """Tags of everything of the pool in AWS."""
    return dict(pool.labels)


def priced(pool: CloudPool) -> dict[str, str]:
    """Tag or annotation with the price of a node, where the customer states one."""
    return {} if pool.node_hour is None else {NODE_HOUR: pool.node_hour}


def node_role(parent: pulumi.Resource, name: str, pool: CloudPool, *, cni: bool) -> ServiceRole:
    """The role that nodes run as, in the names of the provider's own partition: a pool states no region."""
    options = pulumi.InvokeOutputOptions(parent=parent)
    principal = aws.get_service_principal_output(service_name="ec2", opts=options).name
    partition = aws.get_partition_output(opts=options).partition
    arns = {
        policy: pulumi.Output.concat("arn:", partition, ":iam::aws:policy/", policy)
        for policy in (*NODE_POLICIES, *([CNI_POLICY] if cni else []))
    }
    return role_with(parent, f"{name}-role", principal.apply(lambda own: trust(own, "ec2")), arns, tags(pool))


def cluster_group(parent: pulumi.Resource, cluster: pulumi.Input[str]) -> pulumi.Output[str]:
    """The security group that EKS made for the cluster, through which nodes and control plane talk."""
    described = aws.eks.get_cluster_output(name=cluster, opts=pulumi.InvokeOutputOptions(parent=parent))
    return described.vpc_config.cluster_security_group_id


def image_problems(
    image: EksImage | None, custom: CustomImage | None, driver: DriverSource, dra: bool, mig: bool, owner: str
) -> Iterator[str]:
    """Images that do not go with who brings the driver, and with what hands out or cuts the GPUs."""
    if image is not None and custom is not None:
        yield f"{owner}.image: {image.value!r} beside custom_image; give one of them"
    if driver is DriverSource.OPERATOR and custom is None:
        yield f"{owner}.custom_image: missing; AWS's GPU images bring a driver, so 'operator' needs yours"
    if image is EksImage.BOTTLEROCKET and dra:
        yield (
            f"{owner}.image: 'bottlerocket' brings a device plugin, and beside the DRA driver it gives GPUs "
            "away twice; use al2023, or devices.dra_driver off"
        )
    if image is EksImage.BOTTLEROCKET and mig:
        yield f"{owner}.image: 'bottlerocket' does not heed a mig_config; use al2023"
