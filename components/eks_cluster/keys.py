"""Keys of a cluster: one over Secrets, one over logs, one over disks."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from corral.components._aws import Statement, own_key
from corral.components.eks_cluster.args import EksKeys
from corral.components.eks_cluster.site import EksSite

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


def flow_group_name(site: EksSite) -> str:
    """The group with the record of the network's traffic."""
    return f"/aws/vpc/{site.cluster}/flows"


def cluster_keys(site: EksSite, existing: EksKeys) -> ClusterKeys:
    """The keys that exist, and a new one in place of each that does not."""
    return ClusterKeys(
        secrets=existing.get("secrets") or _key(site, "secrets", []),
        logs=existing.get("logs") or _key(site, "logs", [_for_logs(site)]),
        disks=existing.get("disks") or _key(site, "disks", [_for_disks(site)]),
    )


def _key(site: EksSite, purpose: str, uses: Sequence[pulumi.Output[Statement]]) -> pulumi.Output[str]:
    return own_key(site, purpose, f"{purpose.capitalize()} of EKS cluster {site.cluster}", uses)


def _for_logs(site: EksSite) -> pulumi.Output[Statement]:
    prefix = f"arn:{site.partition}:logs:{site.region}"
    return pulumi.Output.all(site.account, site.regional_principal("logs")).apply(
        lambda both: {
            "Sid": "LogsOfThisCluster",
            "Effect": "Allow",
            "Principal": {"Service": both[1]},
            "Action": _USE,
            "Resource": "*",
            "Condition": {
                "ArnEquals": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        f"{prefix}:{both[0]}:log-group:{group}"
                        for group in (log_group_name(site), flow_group_name(site))
                    ]
                }
            },
        }
    )


def _for_disks(site: EksSite) -> pulumi.Output[Statement]:
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
