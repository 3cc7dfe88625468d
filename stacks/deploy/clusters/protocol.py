"""What a cluster kind offers the program."""

from collections.abc import Sequence
from typing import Protocol

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.clusters import ClusterCapabilities
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.pools import PoolPlan


class Cluster(Protocol):
    """One cluster, reached."""

    @property
    def capabilities(self) -> ClusterCapabilities:
        """What its kind can do: replicas, protection of what is stored, Jobs of an upgrade."""
        ...

    @property
    def provider(self) -> kubernetes.Provider:
        """The one provider of the platform; each reads the cluster's whole API again."""
        ...

    @property
    def charts(self) -> str | None:
        """Folder of unpacked charts; None: each from its upstream registry."""
        ...

    @property
    def storage_class(self) -> str | None:
        """Storage class of every volume; None: the cluster's default."""
        ...

    def node_pool(
        self, pool: PoolPlan, cost: CostPlan, opts: pulumi.ResourceOptions
    ) -> Sequence[pulumi.Resource]:
        """The nodes of `pool`, labelled."""
        ...
