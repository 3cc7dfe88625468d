"""The record of a cluster network's traffic."""

import pulumi
import pulumi_aws as aws

from corral.components._aws import ServiceRole, service_role
from corral.components.eks_cluster.keys import ClusterKeys, flow_group_name
from corral.components.eks_cluster.network import ClusterNetwork
from corral.components.eks_cluster.site import EksSite

_WRITE = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"]


def flow_logs(site: EksSite, days: int, keys: ClusterKeys, network: ClusterNetwork) -> aws.ec2.FlowLog:
    """What was let through and what was refused, in an encrypted group of CloudWatch."""
    group = aws.cloudwatch.LogGroup(
        f"{site.name}-flows",
        name=flow_group_name(site),
        kms_key_id=keys.logs,
        retention_in_days=days,
        region=site.region,
        tags=site.tagged("flows"),
        opts=site.child(protect=site.protect),
    )
    role = _role(site, group)
    return aws.ec2.FlowLog(
        f"{site.name}-flow-log",
        vpc_id=network.vpc,
        traffic_type="ALL",
        log_destination_type="cloud-watch-logs",
        log_destination=group.arn,
        iam_role_arn=role.arn,
        region=site.region,
        tags=site.tagged("flows"),
        opts=site.child(depends_on=list(role.rights)),
    )


def _role(site: EksSite, group: aws.cloudwatch.LogGroup) -> ServiceRole:
    write = pulumi.Output.from_input(group.arn).apply(
        lambda arn: [{"Effect": "Allow", "Action": _WRITE, "Resource": [arn, f"{arn}:*"]}]
    )
    return service_role(site, "flow-logs", "vpc-flow-logs", statements=write)
