"""The kubeconfig of a cluster, without a credential in it: Google's plugin makes a token when needed."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from corral.components._cloud_clusters import kubeconfig_text
from corral.components._gcp import GcpSite


def kubeconfig(
    site: GcpSite, cluster: gcp.container.Cluster, after: Sequence[pulumi.CustomResource]
) -> pulumi.Output[str]:
    """The text, as a secret; known once there are nodes."""
    authority = cluster.master_auth.cluster_ca_certificate
    # An id of each is known when it is made.
    known = pulumi.Output.all(cluster.endpoint, authority, *(one.id for one in after))
    return pulumi.Output.secret(known.apply(lambda values: _text(site.title, values[0], values[1])))


def _text(name: str, address: str, authority: str) -> str:
    plugin = {"command": "gke-gcloud-auth-plugin", "provideClusterInfo": True}
    return kubeconfig_text(name, f"https://{address}", authority, plugin)
