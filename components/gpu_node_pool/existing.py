"""GPU nodes that are there: labelled and tainted, never made or deleted."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import FORCED, checked, child, name_of, token
from corral.components.gpu_node_pool.node_labels import (
    GpuNodePoolArgs,
    HourlyPrice,
    PoolNode,
    node_labels,
    price_text,
)
from corral.components.gpu_node_pool.node_state import NodeState
from corral.controls.cost.groups import NODE_HOUR


class ExistingGpuNodePoolArgs(GpuNodePoolArgs):
    """Which nodes make up the pool."""

    pool: str  # Said again: the package schema takes descriptions from the class itself alone.
    """Name of the pool, which its nodes carry as a label."""
    nodes: list[PoolNode]
    """Nodes of the pool, all of one kind of GPU."""
    dedicated: NotRequired[bool]
    """False: the nodes get no taint, and run pods that need no GPU, too; the only nodes of a cluster must."""
    node_hour: NotRequired[HourlyPrice]
    """Price of one node, which a budget counts; nobody knows it when omitted."""


class ExistingGpuNodePool(pulumi.ComponentResource):
    """Marks nodes of the cluster given as provider as one pool of GPU nodes.

    A label that somebody else has set to another value is refused before anything is written. A node with
    taints of others keeps them, and gets none.
    """

    nodes: pulumi.Output[list[str]]
    """Names of the nodes, known once they are marked."""

    def __init__(self, name: str, args: ExistingGpuNodePoolArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ExistingGpuNodePoolArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        price = {NODE_HOUR: price_text(args["node_hour"])} if "node_hour" in args else {}
        dedicated = args.get("dedicated", True)
        marked = [self._marked(name, args["pool"], node, price, dedicated) for node in args["nodes"]]
        self.nodes = pulumi.Output.all(*marked)
        self.register_outputs({"nodes": self.nodes})

    def _marked(
        self, name: str, pool: str, node: PoolNode, price: Mapping[str, str], dedicated: bool
    ) -> pulumi.Output[str]:
        # Neither name has a slash: no two nodes of two pools share one.
        logical = f"{name}/{node['name']}"
        there = kubernetes.core.v1.Node.get(logical, node["name"], opts=child(self))
        state = pulumi.Output.all(there.metadata, there.spec).apply(_state)
        labels = node_labels(pool, node)
        patch = kubernetes.core.v1.NodePatch(
            logical,
            metadata={
                "name": state.apply(lambda one: one.free(pool, labels)),
                "labels": labels,
                # What others have on a node is looked at before; what is left may be a controller's.
                "annotations": {**FORCED, **price},
            },
            spec=cast(Any, state.apply(lambda one: one.tainted(self) if dedicated else {})),
            opts=child(self),
        )
        return name_of(patch)


def _state(read: Sequence[Any]) -> NodeState:
    metadata, spec = read
    return NodeState.of(metadata, spec or {})
