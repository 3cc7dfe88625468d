"""An encrypting object store for models, read by one team."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import ModelStorage

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
config = pulumi.Config()
storage = ModelStorage(
    "storage",
    {
        "kind": "seaweedfs",
        "bucket": "models",
        "access_key": config.require_secret("access-key"),
        "secret_key": config.require_secret("secret-key"),
        "encryption_key": config.require_secret("encryption-key"),  # 64 hex digits
        "size_gib": 200,
        "clients": ["team"],
        "supply": {},
    },
    on_cluster,
)
pulumi.export("bucket", storage.store["bucket"])
