"""A model of one's own on one GPU: imported from S3, checked, and served by vLLM."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import Model, ModelStorage

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
config = pulumi.Config()
storage = ModelStorage(
    "storage",
    {
        "kind": "seaweedfs",
        "bucket": "models",
        "access_key": config.require_secret("access-key"),
        "secret_key": config.require_secret("secret-key"),
        "encryption_key": config.require_secret("encryption-key"),
        "clients": ["team"],
        "supply": {},
    },
    on_cluster,
)
chat = Model(
    "chat",
    {
        "namespace": "team",
        "engine": "vllm",
        "arguments": ["--max-model-len", "16384"],
        "resource": {"name": "nvidia.com/gpu"},
        "source": "s3://intake/qwen3-8b",
        "source_access": {
            "endpoint": "https://s3.example.eu",
            "access_key": config.require_secret("intake-access-key"),
            "secret_key": config.require_secret("intake-secret-key"),
        },
        "files": [{"name": "model.safetensors", "sha256": config.require("sha256")}],
        "license": "Apache-2.0",
        "store": storage.store,
        "supply": {},
    },
    on_cluster,
)
pulumi.export("url", chat.url)
