"""A model that answers a tenant's files of requests each night, from the store that has its files."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import BatchInference

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
config = pulumi.Config()
BatchInference(
    "batches",
    {
        "batches": [
            {
                "name": "nightly",
                "namespace": "assistants",
                "tenant": "assistants",
                "model": "chat",
                "url": "http://chat-predictor.assistants.svc.cluster.local/v1",
                "schedule": "30 2 * * *",
                "time_zone": "Europe/Berlin",
                "input": "assistants/nightly/input",
                "output": "assistants/nightly/output",
                "concurrency": 4,
                "deadline_seconds": 14400,
            }
        ],
        "store": {
            "endpoint": "http://model-storage.model-storage.svc.cluster.local:8333",
            "region": "us-east-1",
            "bucket": "batches",
            "keys": {
                "assistants": {
                    "access_key": "batch-assistants",
                    "secret_key": config.require_secret("batch-secret-key"),
                }
            },
        },
        "supply": {},
    },
    on_cluster,
)
