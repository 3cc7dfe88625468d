"""Where a cluster is made: what all of its resources share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from corral.catalogue.aws import Partition, partition_of, partitions
from corral.components._kit import COMPONENT_LABEL, child
from corral.components.eks_cluster.args import EksClusterArgs

COMPONENT = "eks-cluster"


@dataclass(frozen=True)
class EksSite:
    """One cluster's region and partition, and the component that it belongs to."""

    component: pulumi.Resource
    name: str
    """Name of the component, which logical names begin with."""
    cluster: str
    """Name of the cluster in AWS."""
    region: str
    partition: str
    zones: tuple[str, ...]
    tags: Mapping[str, str]
    protect: bool
    """Whether the engine refuses to delete what cannot be made again."""

    @property
    def names(self) -> Partition:
        """Names of the partition's services."""
        return partitions()[self.partition]

    @property
    def account(self) -> pulumi.Output[str]:
        """Number of the account."""
        return aws.get_caller_identity_output(opts=self.asked()).account_id

    def principal(self, service: str) -> pulumi.Output[str]:
        """Name by which `service` takes a role in this partition."""
        return self._principal(service).name

    def regional_principal(self, service: str) -> pulumi.Output[str]:
        """Name by which `service` of this region uses a key."""
        return self._principal(service).id

    def _principal(self, service: str) -> pulumi.Output[aws.GetServicePrincipalResult]:
        return aws.get_service_principal_output(service_name=service, region=self.region, opts=self.asked())

    def policy(self, name: str) -> str:
        """ARN of AWS's own policy `name` in this partition."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"

    def service(self, name: str) -> str:
        """Name of the service `name` for endpoints in a VPC."""
        return f"{self.names.reverse_suffix}.{self.region}.{name}"

    def asked(self) -> pulumi.InvokeOutputOptions:
        """Options of a question to the provider."""
        return pulumi.InvokeOutputOptions(parent=self.component)

    def child(self, **more: Any) -> pulumi.ResourceOptions:
        """Options of a child of the component."""
        return child(self.component, **more)

    def tagged(self, name: str | None = None, **more: str) -> dict[str, str]:
        """Tags of a resource, with its name where the console shows one."""
        named = {} if name is None else {"Name": f"{self.cluster}-{name}"}
        return {COMPONENT_LABEL: COMPONENT, **self.tags, **named, **more}


def site_of(component: pulumi.Resource, name: str, args: EksClusterArgs) -> EksSite:
    """The site of a cluster with `args`, which are checked."""
    return EksSite(
        component=component,
        name=name,
        cluster=args.get("cluster_name", name),
        region=args["region"],
        partition=str(partition_of(args["region"])),
        zones=tuple(sorted(args["zones"])),
        tags=args.get("tags", {}),
        protect=args.get("protect", True),
    )
