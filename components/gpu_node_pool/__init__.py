"""Pools of GPU nodes."""

from corral.components.gpu_node_pool.existing import (
    ExistingGpuNodePool,
    ExistingGpuNodePoolArgs,
    PoolNode,
)

__all__ = ["ExistingGpuNodePool", "ExistingGpuNodePoolArgs", "PoolNode"]
