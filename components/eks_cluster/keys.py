"""Keys of a cluster: one over Secrets, one over logs, one over disks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from corral.components.eks_cluster.args import EksKeys
from corral.components.eks_cluster.site import EksSite

DELETION_DAYS = 30
"""Longest time that KMS waits before it deletes a key."""
_USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]


@dataclass(frozen=True)
class ClusterKeys:
    """ARN of each key."""

    secrets: pulumi.Input[str]
    logs: pulumi.Input[str]
    disks: pulumi.Input[str]


def log_group_name(site: EksSite) -> str:
    """The group that EKS writes the control plane's logs to."""
    return f"/aws/eks/{site.cluster}/cluster"


def cluster_keys(site: EksSite, existing: EksKeys) -> ClusterKeys:
    """The keys that exist, and a new one in place of each that does not."""
    return ClusterKeys(
        secrets=existing.get("secrets") or _key(site, "secrets", []),
        logs=existing.get("logs") or _key(site, "logs", [_for_logs(site)]),
        disks=existing.get("disks") or _key(site, "disks", [_for_disks(site)]),
    )


def _key(site: EksSite, purpose: str, uses: list[pulumi.Output[Mapping[str, Any]]]) -> pulumi.Output[str]:
    key = aws.kms.Key(
        f"{site.name}-{purpose}",
        description=f"{purpose.capitalize()} of EKS cluster {site.cluster}",
        enable_key_rotation=True,
        deletion_window_in_days=DELETION_DAYS,
        policy=pulumi.Output.all(_for_account(site), *uses).apply(_document),
        region=site.region,
        tags=site.tagged(purpose),
        opts=site.child(protect=site.protect),
    )
    aws.kms.Alias(
        f"{site.name}-{purpose}-alias",
        name=f"alias/{site.cluster}-{purpose}",
        target_key_id=key.key_id,
        region=site.region,
        opts=site.child(),
    )
    return key.arn


def _document(statements: list[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _for_account(site: EksSite) -> pulumi.Output[Mapping[str, Any]]:
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


def _for_logs(site: EksSite) -> pulumi.Output[Mapping[str, Any]]:
    group = f"{site.region}:{{}}:log-group:{log_group_name(site)}"
    return pulumi.Output.all(site.account, site.regional_principal("logs")).apply(
        lambda both: {
            "Sid": "LogsOfThisCluster",
            "Effect": "Allow",
            "Principal": {"Service": both[1]},
            "Action": _USE,
            "Resource": "*",
            "Condition": {
                "ArnEquals": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:{site.partition}:logs:{group.format(both[0])}"
                }
            },
        }
    )


def _for_disks(site: EksSite) -> pulumi.Output[Mapping[str, Any]]:
    """As AWS's own key for EBS has it: whoever in the account may make volumes uses it through EC2."""
    return site.account.apply(
        lambda account: {
            "Sid": "DisksThroughEc2",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [*_USE, "kms:CreateGrant"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"kms:CallerAccount": account},
                # The suffix is the partition's; nothing but AWS itself sets this key.
                "StringLike": {"kms:ViaService": f"ec2.{site.region}.*"},
            },
        }
    )
