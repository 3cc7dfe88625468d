"""Eight GPUs for two tenants: four are each one's own, and what is idle is lent."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import FairSharing

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
sharing = FairSharing(
    "fair-sharing",
    {
        "offered": [{"pool": "whole", "resource": "nvidia.com/gpu", "count": 8}],
        "tenants": [
            {
                "name": tenant,
                "namespace": tenant,
                "guaranteed": [{"pool": "whole", "resource": "nvidia.com/gpu", "count": 4}],
            }
            for tenant in ("assistants", "research")
        ],
        "supply": {},
    },
    on_cluster,
)
pulumi.export("priority", sharing.priorities["normal"])
