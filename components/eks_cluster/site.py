"""Where a cluster is made: what all of its resources share."""

from dataclasses import dataclass

import pulumi

from corral.components._aws import AwsSite
from corral.components.eks_cluster.args import EksClusterArgs

COMPONENT = "eks-cluster"


@dataclass(frozen=True)
class EksSite(AwsSite):
    """One cluster's zones, beside what `AwsSite` has."""

    zones: tuple[str, ...]

    @property
    def cluster(self) -> str:
        """Name of the cluster in AWS."""
        return self.title


def site_of(component: pulumi.Resource, name: str, args: EksClusterArgs) -> EksSite:
    """The site of a cluster with `args`, which are checked."""
    return EksSite(
        component=component,
        kind=COMPONENT,
        name=name,
        title=args.get("cluster_name", name),
        region=args["region"],
        tags=args.get("tags", {}),
        protect=args.get("protect", True),
        zones=tuple(sorted(args["zones"])),
    )
