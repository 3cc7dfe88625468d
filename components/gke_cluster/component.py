"""A private cluster on GKE."""

import pulumi

from corral.components._kit import checked, refuse, token
from corral.components.gke_cluster.allowed import problems
from corral.components.gke_cluster.args import GkeClusterArgs
from corral.components.gke_cluster.control_plane import control_plane
from corral.components.gke_cluster.keys import cluster_keys
from corral.components.gke_cluster.kubeconfig import kubeconfig
from corral.components.gke_cluster.locations import location_policy
from corral.components.gke_cluster.logs import cluster_logs
from corral.components.gke_cluster.network import cluster_network
from corral.components.gke_cluster.nodes import machine, node_identity, system_nodes
from corral.components.gke_cluster.site import site_of

LOG_DAYS = 365


class GkeCluster(pulumi.ComponentResource):
    """A private Standard cluster on GKE, with network, keys, logs and system nodes.

    Its API has an address in its own network alone: whoever runs this program must be in it, or in one of
    `network.api_clients` that is connected with it. GPU nodes are added by `GkeGpuNodePool`. Google keeps
    rings and keys for ever by their names: a cluster that is made again needs another `cluster_name`, or
    keys that are there. Logs of administrators' actions stay in the project's bucket `_Required` besides.
    """

    name: pulumi.Output[str]
    """Name of the cluster."""
    cluster_id: pulumi.Output[str]
    """Id of the cluster, `projects/…/locations/…/clusters/…`, which a `GkeGpuNodePool` takes."""
    kubeconfig: pulumi.Output[str]
    """Kubeconfig whose users get a token from `gke-gcloud-auth-plugin`; a secret."""
    network: pulumi.Output[str]
    """Id of the network."""
    subnetwork: pulumi.Output[str]
    """Id of the subnetwork of nodes."""
    disk_key: pulumi.Output[str]
    """Id of the key over disks of nodes, for those of GPU pools as well."""
    identity: pulumi.Output[str]
    """Email of the account that system nodes run as; let it read where the images are."""

    def __init__(self, name: str, args: GkeClusterArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, GkeClusterArgs, name)
        refuse(problems(args, name))
        super().__init__(token(type(self)), name, {}, opts)
        site = site_of(self, name, args)
        before: list[pulumi.Resource] = []
        if args.get("restrict_locations", False):
            before.append(location_policy(site))
        keys = cluster_keys(site, args["keys"])
        network = cluster_network(site, args.get("network", {}))
        locked = args.get("lock_logs", site.protect)
        logs = cluster_logs(site, args.get("log_days", LOG_DAYS), keys, locked=locked)
        identity = node_identity(site)
        made = machine(site, args["nodes"], keys, identity)
        cluster = control_plane(site, args, keys, network, made, [*before, *logs, identity.rights])
        nodes = system_nodes(site, cluster, args["nodes"], made, after=[identity.rights])
        self.name, self.cluster_id = cluster.name, cluster.id
        self.kubeconfig = kubeconfig(site, cluster, after=[nodes])
        self.network, self.subnetwork = network.network, network.subnet
        self.disk_key = pulumi.Output.from_input(keys.disks)
        self.identity = identity.email
        self.register_outputs(
            {
                "name": self.name,
                "cluster_id": self.cluster_id,
                "kubeconfig": self.kubeconfig,
                "network": self.network,
                "subnetwork": self.subnetwork,
                "disk_key": self.disk_key,
                "identity": self.identity,
            }
        )
