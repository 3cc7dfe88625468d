"""Roles that services of AWS, nodes and pods take."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from corral.components.eks_cluster.site import EksSite

POD_IDENTITY = "pods.eks"
"""The service that hands roles to pods."""
_KEY_USE = ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"]


@dataclass(frozen=True)
class ServiceRole:
    """A role, and what gives it its rights: who takes it waits for those."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    rights: Sequence[pulumi.Resource]


def service_role(site: EksSite, part: str, service: str, policies: Sequence[str]) -> ServiceRole:
    """A role for `service` with AWS's `policies`."""
    role = aws.iam.Role(
        f"{site.name}-{part}",
        assume_role_policy=site.principal(service).apply(lambda name: _trust(name, service)),
        tags=site.tagged(),
        opts=site.child(),
    )
    rights = [
        aws.iam.RolePolicyAttachment(
            f"{site.name}-{part}-{policy.rpartition('/')[2]}",
            role=role.name,
            policy_arn=site.policy(policy),
            opts=site.child(),
        )
        for policy in policies
    ]
    return ServiceRole(role.name, role.arn, rights)


def cluster_role(site: EksSite, secrets_key: pulumi.Input[str]) -> ServiceRole:
    """The control plane's role, which uses the key over Secrets."""
    made = service_role(site, "control-plane", "eks", ["AmazonEKSClusterPolicy"])
    use = aws.iam.RolePolicy(
        f"{site.name}-control-plane-key",
        role=made.name,
        policy=pulumi.Output.from_input(secrets_key).apply(_key_use),
        opts=site.child(),
    )
    return ServiceRole(made.name, made.arn, [*made.rights, use])


def _key_use(key: str) -> str:
    statement = {"Effect": "Allow", "Action": _KEY_USE, "Resource": key}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _trust(principal: str, service: str) -> str:
    # Pod Identity tags its sessions with the pod.
    actions = ["sts:AssumeRole", "sts:TagSession"] if service == POD_IDENTITY else ["sts:AssumeRole"]
    statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": actions}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
