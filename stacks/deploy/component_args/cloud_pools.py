"""What arguments of GPU node pools have in common, whichever cloud they are in."""

from collections import Counter
from collections.abc import Mapping

from corral.catalogue.vocabulary import AddonState
from corral.components.gpu_node_pool.cloud_args import CloudPurchase, GpuDevices, PoolCapacity
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.pools import PoolPlan


def pool_layouts(pool: PoolPlan) -> Mapping[str | None, int]:
    """Nodes of each MIG layout, in the order of the plan."""
    return Counter(node.mig_config for node in pool.nodes)


def pool_capacity(pool: PoolPlan, cost: CostPlan) -> PoolCapacity:
    """How the machines of `pool` are bought, and for how much."""
    bought = next(one for one in cost.pools if one.pool == pool.name)
    capacity: PoolCapacity = {"purchase": CloudPurchase(bought.purchase.value)}
    if bought.node_hour is not None:
        capacity["node_hour"] = {"amount": float(bought.node_hour), "currency": cost.currency}
    return capacity


def pool_devices(layout: str | None, dra_driver: AddonState) -> GpuDevices:
    """How GPUs of nodes with `layout` become usable."""
    devices: GpuDevices = {"dra_driver": dra_driver}
    if layout is not None:
        devices["mig_config"] = layout
    return devices
