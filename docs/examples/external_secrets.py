"""External Secrets with a Vault of one's own, and a database whose password is read from there."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import ExternalSecrets, RateLimitStore

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
secrets = ExternalSecrets(
    "external-secrets",
    {
        "supply": {},
        "store": "platform",
        "provider": "vault",
        "server": "https://vault.example.eu:8200",
        "role": "external-secrets",
    },
    on_cluster,
)
counts = RateLimitStore(
    "token-limits",
    {
        "supply": {},
        "secret_store": {"name": secrets.store, "prefix": "corral/", "property": "value"},
    },
    on_cluster,
)
pulumi.export("address", counts.address)
