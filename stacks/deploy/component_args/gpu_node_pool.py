"""Arguments of GPU node pools."""

from corral.components.gpu_node_pool import ExistingGpuNodePoolArgs, PoolNode
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.pools import NodePlan, PoolPlan


def existing_pool_args(pool: PoolPlan, cost: CostPlan) -> ExistingGpuNodePoolArgs:
    """The named nodes of a pool, with the price of one."""
    args: ExistingGpuNodePoolArgs = {
        "pool": pool.name,
        "nodes": [_node(pool, node) for node in pool.nodes],
    }
    if not pool.dedicated:
        args["dedicated"] = False
    price = next(one.node_hour for one in cost.pools if one.pool == pool.name)
    if price is not None:
        args["node_hour"] = {"amount": float(price), "currency": cost.currency}
    return args


def _node(pool: PoolPlan, node: NodePlan) -> PoolNode:
    labelled: PoolNode = {"name": node.name}
    if node.mig_config is not None:
        labelled["mig_config"] = node.mig_config
    if pool.shares > 1:
        labelled["device_plugin_config"] = pool.name
    if pool.keeps_models:
        labelled["model_cache"] = True
    return labelled
