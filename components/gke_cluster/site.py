"""Where a cluster is made: what all of its resources share."""

import pulumi

from corral.components._gcp import GcpSite
from corral.components.gke_cluster.args import GkeClusterArgs

COMPONENT = "gke-cluster"


def site_of(component: pulumi.Resource, name: str, args: GkeClusterArgs) -> GcpSite:
    """The site of a cluster with `args`, which are checked."""
    return GcpSite(
        component=component,
        kind=COMPONENT,
        name=name,
        title=args.get("cluster_name", name),
        project=args["project"],
        region=args["region"],
        labels=args.get("labels", {}),
        protect=args.get("protect", True),
    )
