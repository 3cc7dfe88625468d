"""How a GPU node is marked, whoever made it."""

from typing import NotRequired, TypedDict

from corral.components._kit import COMPONENT_LABEL

COMPONENT = "gpu-node-pool"
POOL_LABEL = "corral.dev/pool"
MIG_LABEL = "nvidia.com/mig.config"
"""The MIG manager partitions a node's GPUs by the configuration of this name."""
TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
"""Keeps everything off GPU nodes that did not ask for a GPU."""


class GpuNodePoolArgs(TypedDict):
    """What every pool of GPU nodes needs to know."""

    pool: str
    """Name of the pool, which its nodes carry as a label."""


class PoolNode(TypedDict):
    """One node of a pool."""

    name: str
    """Name of the Kubernetes node."""
    mig_config: NotRequired[str]
    """MIG configuration of its GPUs; whole GPUs when omitted."""


def node_labels(pool: str, mig_config: str | None) -> dict[str, str]:
    """Labels of a node of `pool`."""
    mig = {} if mig_config is None else {MIG_LABEL: mig_config}
    return {POOL_LABEL: pool, COMPONENT_LABEL: COMPONENT, **mig}
