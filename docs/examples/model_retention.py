"""A bucket that keeps, beside the files that a model is served from, those of its last two other imports."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import ModelRetention

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
ModelRetention(
    "retention",
    {
        "served": {"chat": "chat-1a2b3c4d"},
        "previous": 2,
        "store": {
            "endpoint": "http://model-storage.model-storage.svc.cluster.local:8333",
            "port": 8333,
            "region": "us-east-1",
            "bucket": "models",
            "namespace": "model-storage",
            "writer_secret": "model-storage-writer",
        },
        "supply": {},
    },
    on_cluster,
)
