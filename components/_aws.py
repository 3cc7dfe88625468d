"""What components that make resources of AWS share: names of a partition, keys and roles."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from corral.catalogue.aws import Partition, partition_of, partitions
from corral.components._kit import COMPONENT_LABEL, child

DELETION_DAYS = 30
"""Longest time that KMS waits before it deletes a key."""
POD_IDENTITY = "pods.eks"
"""The service that hands roles to pods."""
Statement = Mapping[str, Any]
"""Statement of a policy."""


@dataclass(frozen=True)
class AwsSite:
    """Where in AWS a component makes its resources."""

    component: pulumi.Resource
    kind: str
    """Kind of the component, as tags have it."""
    name: str
    """Name of the component, which logical names begin with."""
    title: str
    """What the resources' names in AWS begin with."""
    region: str
    tags: Mapping[str, str]
    protect: bool
    """Whether the engine refuses to delete what cannot be made again."""

    @property
    def partition(self) -> str:
        """Name of the partition, which ARNs carry."""
        return str(partition_of(self.region))

    @property
    def names(self) -> Partition:
        """Names of the partition's services."""
        return partitions()[self.partition]

    @property
    def account(self) -> pulumi.Output[str]:
        """Number of the account."""
        return aws.get_caller_identity_output(opts=self._asked()).account_id

    def principal(self, service: str) -> pulumi.Output[str]:
        """Name by which `service` takes a role in this partition."""
        return self._principal(service).name

    def regional_principal(self, service: str) -> pulumi.Output[str]:
        """Name by which `service` of this region uses a key."""
        return self._principal(service).id

    def _principal(self, service: str) -> pulumi.Output[aws.GetServicePrincipalResult]:
        return aws.get_service_principal_output(service_name=service, region=self.region, opts=self._asked())

    def _asked(self) -> pulumi.InvokeOutputOptions:
        return pulumi.InvokeOutputOptions(parent=self.component)

    def policy(self, name: str) -> str:
        """ARN of AWS's own policy `name` in this partition."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"

    def service(self, name: str) -> str:
        """Name of the service `name` for endpoints in a VPC."""
        return f"{self.names.reverse_suffix}.{self.region}.{name}"

    def child(self, **more: Any) -> pulumi.ResourceOptions:
        """Options of a child of the component."""
        return child(self.component, **more)

    def tagged(self, name: str | None = None, **more: str) -> dict[str, str]:
        """Tags of a resource, with its name where the console shows one."""
        named = {} if name is None else {"Name": f"{self.title}-{name}"}
        return {COMPONENT_LABEL: self.kind, **self.tags, **named, **more}


def document(statements: Sequence[Statement]) -> str:
    """A policy as AWS reads it."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def own_key(
    site: AwsSite, purpose: str, description: str, uses: Sequence[pulumi.Output[Statement]] = ()
) -> pulumi.Output[str]:
    """ARN of a key of the customer's that rotates, for whom the account's policies and `uses` admit."""
    key = aws.kms.Key(
        f"{site.name}-{purpose}",
        description=description,
        enable_key_rotation=True,
        deletion_window_in_days=DELETION_DAYS,
        policy=pulumi.Output.all(_for_account(site), *uses).apply(document),
        region=site.region,
        tags=site.tagged(purpose),
        opts=site.child(protect=site.protect),
    )
    aws.kms.Alias(
        f"{site.name}-{purpose}-alias",
        # An alias has no dots, which names of buckets may have.
        name=f"alias/{site.title.replace('.', '-')}-{purpose}",
        target_key_id=key.key_id,
        region=site.region,
        opts=site.child(),
    )
    return key.arn


def _for_account(site: AwsSite) -> pulumi.Output[Statement]:
    """The account's policies of IAM decide who else may use the key."""
    return site.account.apply(
        lambda account: {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{site.partition}:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    )


@dataclass(frozen=True)
class ServiceRole:
    """A role, and what gives it its rights: who takes it waits for those."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    rights: Sequence[pulumi.Resource]


def service_role(
    site: AwsSite,
    part: str,
    service: str,
    *,
    policies: Sequence[str] = (),
    statements: pulumi.Output[Sequence[Statement]] | None = None,
) -> ServiceRole:
    """A role for `service` with AWS's `policies`, and rights of its own by `statements`."""
    role = aws.iam.Role(
        f"{site.name}-{part}",
        assume_role_policy=site.principal(service).apply(lambda name: _trust(name, service)),
        tags=site.tagged(),
        opts=site.child(),
    )
    rights: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{site.name}-{part}-{policy.rpartition('/')[2]}",
            role=role.name,
            policy_arn=site.policy(policy),
            opts=site.child(),
        )
        for policy in policies
    ]
    if statements is not None:
        own = aws.iam.RolePolicy(
            f"{site.name}-{part}-own", role=role.name, policy=statements.apply(document), opts=site.child()
        )
        rights.append(own)
    return ServiceRole(role.name, role.arn, rights)


def _trust(principal: str, service: str) -> str:
    # Pod Identity tags its sessions with the pod.
    actions = ["sts:AssumeRole", "sts:TagSession"] if service == POD_IDENTITY else ["sts:AssumeRole"]
    return document([{"Effect": "Allow", "Principal": {"Service": principal}, "Action": actions}])
