"""Where a cluster is made: what all of its resources share."""

from dataclasses import dataclass

from corral.components._aws import AwsSite

COMPONENT = "eks-cluster"


@dataclass(frozen=True)
class EksSite(AwsSite):
    """One cluster's zones, beside what `AwsSite` has."""

    zones: tuple[str, ...]

    @property
    def cluster(self) -> str:
        """Name of the cluster in AWS."""
        return self.title
