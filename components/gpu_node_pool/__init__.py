"""Pools of GPU nodes.

Those of a cloud are in modules of their own, `eks` and `gke`: they import its SDK (extra `aws`, `gcp`).
"""

from corral.components.gpu_node_pool.cloud_args import (
    CloudPurchase,
    GpuDevices,
    NodeDisk,
    PoolCapacity,
    PoolSize,
)
from corral.components.gpu_node_pool.existing import (
    ExistingGpuNodePool,
    ExistingGpuNodePoolArgs,
    PoolNode,
)
from corral.components.gpu_node_pool.node_labels import HourlyPrice

__all__ = [
    "CloudPurchase",
    "ExistingGpuNodePool",
    "ExistingGpuNodePoolArgs",
    "GpuDevices",
    "HourlyPrice",
    "NodeDisk",
    "PoolCapacity",
    "PoolNode",
    "PoolSize",
]
