"""Models on the disks of a pool's nodes; KServe has `cache_jobs`, the nodes their label and folder."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import ModelCache

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
config = pulumi.Config()
cache = ModelCache(
    "model-cache",
    {
        "pools": [{"pool": "whole", "room_gib": 500}],
        "store": {
            "endpoint": "https://s3.example.eu",
            "port": 443,
            "region": "eu-1",
            "bucket": "models",
            "namespace": "model-storage",
            "writer_secret": "model-storage-writer",
            "reader_access_key": config.require_secret("access-key"),
            "reader_secret_key": config.require_secret("secret-key"),
        },
        "supply": {},
    },
    on_cluster,
)
pulumi.export("node-groups", cache.node_groups)
