"""Pools of nodes that exist, for kinds that make no nodes."""

from collections.abc import Sequence

import pulumi

from corral.components.gpu_node_pool import ExistingGpuNodePool
from corral.stacks.deploy.clusters.protocol import ModelBucket
from corral.stacks.deploy.component_args.gpu_node_pool import existing_pool_args
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.pools import PoolPlan


class NamedNodes:
    """Nodes that are labelled, not made; nor is a bucket."""

    model_bucket: ModelBucket | None = None

    def node_pool(
        self, pool: PoolPlan, cost: CostPlan, opts: pulumi.ResourceOptions
    ) -> Sequence[pulumi.Resource]:
        """The nodes of `pool` with their labels; those without names have them from where they are made."""
        if not pool.existing:
            return []
        return [ExistingGpuNodePool(pool.name, existing_pool_args(pool, cost), opts)]
