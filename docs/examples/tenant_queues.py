"""The queue of each tenant, once FairSharing has made their quotas."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import TenantQueues

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
queues = TenantQueues(
    "queues",
    {
        "tenants": [
            {"tenant": "assistants", "namespace": "assistants"},
            {"tenant": "research", "namespace": "research"},
        ]
    },
    on_cluster,
)
pulumi.export("queue", queues.queue)
