"""Two nodes that are there, as one pool of MIG slices."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import ExistingGpuNodePool

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
pool = ExistingGpuNodePool(
    "slices",
    {
        "pool": "slices",
        "nodes": [{"name": name, "mig_config": "all-1g.5gb"} for name in ("gpu-0", "gpu-1")],
        "node_hour": {"amount": 6.5, "currency": "EUR"},
    },
    on_cluster,
)
pulumi.export("nodes", pool.nodes)
