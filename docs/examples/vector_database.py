"""Three nodes of Qdrant with two copies of each shard, on a cluster that has cert-manager."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import VectorDatabase

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
database = VectorDatabase(
    "vectors",
    {
        "engine": "qdrant",
        "replicas": 3,
        "credential": pulumi.Config().require_secret("vector-db-key"),
        "clients": ["team"],
        "supply": {},
    },
    on_cluster,
)
pulumi.export("host", database.service)
