"""What components that make resources of AWS share: names of a partition, keys and roles."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NotRequired, Self, TypedDict

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


class SiteArgs(TypedDict):
    """Arguments that every component of AWS has."""

    region: str
    tags: NotRequired[dict[str, str]]
    protect: NotRequired[bool]


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

    @classmethod
    def of(
        cls, component: pulumi.Resource, kind: str, name: str, title: str, args: SiteArgs, **more: Any
    ) -> Self:
        """The site of a component with `args`, which are checked; `more` are fields of a subclass."""
        tags, protect = args.get("tags", {}), args.get("protect", True)
        return cls(component, kind, name, title, args["region"], tags, protect, **more)

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
    logical = f"{site.name}-{part}"
    role = role_with(
        site.component,
        logical,
        site.principal(service).apply(lambda name: trust(name, service)),
        {policy.rpartition("/")[2]: site.policy(policy) for policy in policies},
        site.tagged(),
    )
    if statements is None:
        return role
    own = aws.iam.RolePolicy(
        f"{logical}-own", role=role.name, policy=statements.apply(document), opts=site.child()
    )
    return replace(role, rights=[*role.rights, own])


def role_with(
    component: pulumi.Resource,
    logical: str,
    trusted: pulumi.Input[str],
    policies: Mapping[str, pulumi.Input[str]],
    tags: Mapping[str, str],
) -> ServiceRole:
    """A role of `component` that `trusted` admits, with managed policies by name."""
    role = aws.iam.Role(logical, assume_role_policy=trusted, tags=tags, opts=child(component))
    rights = [
        aws.iam.RolePolicyAttachment(
            f"{logical}-{name}", role=role.name, policy_arn=arn, opts=child(component)
        )
        for name, arn in policies.items()
    ]
    return ServiceRole(role.name, role.arn, rights)


def private_instances(
    groups: pulumi.Input[Sequence[pulumi.Input[str]]], tags: Mapping[str, str]
) -> dict[str, Any]:
    """Arguments of a launch template whose instances are in `groups`, without a public address."""
    return {
        # One hop: the node itself may ask who it is, and a pod on it may not.
        "metadata_options": aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        "network_interfaces": [
            aws.ec2.LaunchTemplateNetworkInterfaceArgs(
                device_index=0,
                associate_public_ip_address="false",
                delete_on_termination="true",
                security_groups=groups,
            )
        ],
        "tag_specifications": [
            aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags)
            for kind in ("instance", "volume", "network-interface")
        ],
    }


def encrypted_disk(
    gib: int, key: pulumi.Input[str] | None
) -> aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs:
    """A volume of a launch template, under `key`, or under the cloud's where that is None."""
    return aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
        volume_size=gib,
        volume_type="gp3",
        encrypted="true",
        kms_key_id=key,
        delete_on_termination="true",
    )


def trust(principal: str, service: str) -> str:
    """Who may take a role: `principal`, the name of `service`."""
    # Pod Identity tags its sessions with the pod.
    actions = ["sts:AssumeRole", "sts:TagSession"] if service == POD_IDENTITY else ["sts:AssumeRole"]
    return document([{"Effect": "Allow", "Principal": {"Service": principal}, "Action": actions}])
