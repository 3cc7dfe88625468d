"""A private cluster in Frankfurt, with keys in a project of their own and weekly maintenance."""

import pulumi
import pulumi_gcp as gcp

from corral import GkeCluster

frankfurt = gcp.Provider("frankfurt", project="acme-models", region="europe-west3")
cluster = GkeCluster(
    "models",
    {
        "project": "acme-models",
        "region": "europe-west3",
        "version": "1.35",
        "nodes": {"machine_type": "n2d-standard-4", "confidential": True},
        "keys": {"project": "acme-keys"},
        "network": {"api_clients": ["192.0.2.0/24"]},
        "maintenance": {
            "start": "2026-01-03T01:00:00Z",
            "end": "2026-01-03T05:00:00Z",
            "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
        },
        "restrict_locations": True,
    },
    pulumi.ResourceOptions(provider=frankfurt),
)
pulumi.export("kubeconfig", cluster.kubeconfig)
