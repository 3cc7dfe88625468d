"""A private cluster on EKS."""

import pulumi

from corral.components._kit import checked, refuse, token
from corral.components.eks_cluster.addons import addons
from corral.components.eks_cluster.allowed import problems
from corral.components.eks_cluster.args import EksClusterArgs
from corral.components.eks_cluster.control_plane import (
    admin_access,
    client_access,
    control_plane,
    security_group,
)
from corral.components.eks_cluster.flow_logs import flow_logs
from corral.components.eks_cluster.keys import cluster_keys
from corral.components.eks_cluster.kubeconfig import kubeconfig
from corral.components.eks_cluster.network import cluster_network
from corral.components.eks_cluster.nodes import system_nodes
from corral.components.eks_cluster.site import COMPONENT, EksSite

LOG_DAYS = 365


class EksCluster(pulumi.ComponentResource):
    """A private cluster on EKS, with network, keys, logs, add-ons and system nodes.

    Its API has addresses in its own network alone: whoever runs this program must be in it, or in one of
    `network.api_clients` that is connected with it. GPU nodes are added by `EksGpuNodePool`.
    """

    name: pulumi.Output[str]
    """Name of the cluster."""
    kubeconfig: pulumi.Output[str]
    """Kubeconfig whose users get a token from `aws eks get-token`; a secret."""
    vpc: pulumi.Output[str]
    """Id of the VPC."""
    subnets: pulumi.Output[list[str]]
    """Ids of the private subnets, by the letter of their zone."""
    security_group: pulumi.Output[str]
    """Id of the group through which nodes and control plane talk."""
    disk_key: pulumi.Output[str]
    """ARN of the key over disks of nodes, for those of GPU pools as well."""

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, EksClusterArgs, name)
        refuse(problems(args, name))
        super().__init__(token(type(self)), name, {}, opts)
        zones = tuple(sorted(args["zones"]))
        site = EksSite.of(self, COMPONENT, name, args.get("cluster_name", name), args, zones=zones)
        versions = args.get("addon_versions", {})
        network_args = args.get("network", {})
        keys = cluster_keys(site, args.get("keys", {}))
        network = cluster_network(site, network_args)
        log_days = args.get("log_days", LOG_DAYS)
        flow_logs(site, log_days, keys, network)
        cluster = control_plane(site, args["version"], log_days, keys, network)
        entries = admin_access(site, cluster, args["admins"])
        clients = client_access(site, cluster, network_args.get("api_clients", []))
        early = addons(site, cluster, versions, before_nodes=True)
        nodes = system_nodes(site, cluster, args["nodes"], keys, network, after=early)
        late = addons(site, cluster, versions, before_nodes=False, after=[nodes])
        self.name = cluster.name
        self.kubeconfig = kubeconfig(site, cluster, after=[*entries, *clients, nodes, *late])
        self.vpc = network.vpc
        self.subnets = pulumi.Output.all(*network.subnets)
        self.security_group = security_group(cluster)
        self.disk_key = pulumi.Output.from_input(keys.disks)
        self.register_outputs(
            {
                "name": self.name,
                "kubeconfig": self.kubeconfig,
                "vpc": self.vpc,
                "subnets": self.subnets,
                "security_group": self.security_group,
                "disk_key": self.disk_key,
            }
        )
