"""What a cluster kind offers the program."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.clusters import ClusterCapabilities
from corral.components.tenancy import Addresses
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.pools import PoolPlan


@dataclass(frozen=True)
class ModelBucket:
    """A bucket of the cluster's cloud, which pods enter by their own identity."""

    name: pulumi.Output[str]
    """Known once it lets them in."""
    endpoint: pulumi.Output[str]
    """URL of the store that has it."""
    addresses: Sequence[Addresses]
    """What its pods connect to: the store, and who tells them their credentials."""
    metadata_server: bool = False
    """Whether the metadata server of GKE tells them."""


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

    @property
    def model_bucket(self) -> ModelBucket | None:
        """Where models are kept, if the stack makes a bucket with the cluster."""
        ...

    def node_pool(
        self, pool: PoolPlan, cost: CostPlan, opts: pulumi.ResourceOptions
    ) -> Sequence[pulumi.Resource]:
        """The nodes of `pool`, labelled."""
        ...
