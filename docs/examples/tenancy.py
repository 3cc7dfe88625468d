"""Two tenants with namespaces closed to each other; one may claim four slices."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import Tenancy

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
tenancy = Tenancy(
    "tenancy",
    {
        "tenants": [
            {"name": "assistants", "namespace": "assistants", "devices": {"mig-1g-5gb.corral.dev": 4}},
            {"name": "research", "namespace": "research"},
        ],
        "callers": ["gateway"],
    },
    on_cluster,
)
pulumi.export("namespaces", tenancy.namespaces)
