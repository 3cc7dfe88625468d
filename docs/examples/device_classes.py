"""Two MIG slices that pods claim by name."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import DeviceClasses

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
DeviceClasses(
    "slices",
    {
        "slices": [
            {"name": "mig-1g-5gb.corral.dev", "profile": "1g.5gb"},
            {"name": "mig-3g-20gb.corral.dev", "profile": "3g.20gb"},
        ]
    },
    on_cluster,
)
