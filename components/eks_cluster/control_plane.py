"""The control plane, its logs, and who may enter."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from corral.components._aws import ServiceRole, service_role
from corral.components.eks_cluster.keys import ClusterKeys, log_group_name
from corral.components.eks_cluster.network import HTTPS, ClusterNetwork
from corral.components.eks_cluster.site import EksSite

LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""All that EKS has."""
_KEY_USE = ["kms:Encrypt", "kms:Decrypt", "kms:ListGrants", "kms:DescribeKey"]


def control_plane(
    site: EksSite, version: str, log_days: int, keys: ClusterKeys, network: ClusterNetwork
) -> aws.eks.Cluster:
    """A cluster whose API has addresses in the network alone."""
    role = _role(site, keys.secrets)
    return aws.eks.Cluster(
        f"{site.name}-cluster",
        # Stated, since the group of its logs is made first and is named after it.
        name=site.cluster,
        version=version,
        role_arn=role.arn,
        vpc_config=aws.eks.ClusterVpcConfigArgs(
            subnet_ids=network.subnets, endpoint_private_access=True, endpoint_public_access=False
        ),
        access_config=aws.eks.ClusterAccessConfigArgs(
            authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
        ),
        encryption_config=aws.eks.ClusterEncryptionConfigArgs(
            provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=keys.secrets), resources=["secrets"]
        ),
        enabled_cluster_log_types=list(LOGS),
        # AWS keeps the add-ons; copies of them that nobody keeps are left out.
        bootstrap_self_managed_addons=False,
        deletion_protection=site.protect,
        region=site.region,
        tags=site.tagged(),
        opts=site.child(depends_on=[_log_group(site, log_days, keys), *role.rights], protect=site.protect),
    )


def _role(site: EksSite, key: pulumi.Input[str]) -> ServiceRole:
    """The control plane's, which uses the key over Secrets."""
    use = pulumi.Output.from_input(key).apply(
        lambda arn: [{"Effect": "Allow", "Action": _KEY_USE, "Resource": arn}]
    )
    return service_role(site, "control-plane", "eks", policies=["AmazonEKSClusterPolicy"], statements=use)


def _log_group(site: EksSite, days: int, keys: ClusterKeys) -> aws.cloudwatch.LogGroup:
    return aws.cloudwatch.LogGroup(
        f"{site.name}-logs",
        # EKS writes to this name, and would make a group without key and period where there is none.
        name=log_group_name(site),
        kms_key_id=keys.logs,
        retention_in_days=days,
        region=site.region,
        tags=site.tagged(),
        opts=site.child(protect=site.protect),
    )


def admin_access(
    site: EksSite, cluster: aws.eks.Cluster, admins: Mapping[str, pulumi.Input[str]]
) -> list[pulumi.Resource]:
    """Access entries with AWS's policy for administrators, of the whole cluster."""
    return [_admin(site, cluster, name, arn) for name, arn in admins.items()]


def _admin(site: EksSite, cluster: aws.eks.Cluster, name: str, arn: pulumi.Input[str]) -> pulumi.Resource:
    entry = aws.eks.AccessEntry(
        f"{site.name}-admin-{name}",
        cluster_name=cluster.name,
        principal_arn=arn,
        region=site.region,
        tags=site.tagged(),
        opts=site.child(),
    )
    return aws.eks.AccessPolicyAssociation(
        f"{site.name}-admin-{name}-policy",
        cluster_name=cluster.name,
        principal_arn=entry.principal_arn,
        policy_arn=f"arn:{site.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
        region=site.region,
        opts=site.child(),
    )


def client_access(
    site: EksSite, cluster: aws.eks.Cluster, clients: Sequence[str]
) -> list[aws.vpc.SecurityGroupIngressRule]:
    """Rules that let networks beside the cluster's own reach its API."""
    return [
        aws.vpc.SecurityGroupIngressRule(
            f"{site.name}-api-{client.replace('/', '-')}",
            security_group_id=security_group(cluster),
            cidr_ipv4=client,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="the cluster's API",
            region=site.region,
            tags=site.tagged(),
            opts=site.child(),
        )
        for client in dict.fromkeys(clients)
    ]


def security_group(cluster: aws.eks.Cluster) -> pulumi.Output[str]:
    """The group that EKS makes for the cluster, through which nodes and control plane talk."""
    return cluster.vpc_config.cluster_security_group_id
