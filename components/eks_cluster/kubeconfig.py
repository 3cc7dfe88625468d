"""The kubeconfig of a cluster, without a credential in it: AWS's command makes a token when one is needed."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from corral.components._cloud_clusters import kubeconfig_text
from corral.components.eks_cluster.site import EksSite


def kubeconfig(
    site: EksSite, cluster: aws.eks.Cluster, after: Sequence[pulumi.Resource]
) -> pulumi.Output[str]:
    """The text, as a secret; known once its users may enter and there are nodes."""
    # An id of each is known when it is made.
    ready = [one.id for one in after if isinstance(one, pulumi.CustomResource)]
    known = pulumi.Output.all(cluster.endpoint, cluster.certificate_authority.data, *ready)
    return pulumi.Output.secret(known.apply(lambda values: _text(site, values[0], values[1])))


def _text(site: EksSite, server: str, authority: str) -> str:
    token = ["eks", "get-token", "--cluster-name", site.cluster, "--region", site.region, "--output", "json"]
    plugin = {"command": "aws", "args": token}
    return kubeconfig_text(site.cluster, server, authority, plugin)
