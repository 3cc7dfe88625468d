"""The kubeconfig of a cluster, without a credential in it: Google's plugin makes a token when needed."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

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
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "provideClusterInfo": True,
        "interactiveMode": "Never",
    }
    server = {"server": f"https://{address}", "certificate-authority-data": authority}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": server}],
        "users": [{"name": name, "user": {"exec": plugin}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2)
