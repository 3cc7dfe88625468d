"""A cluster of somebody else's, examined before anything is made on it."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import CertManager, ExistingCluster

config = pulumi.Config()
cluster = ExistingCluster(
    "models",
    {
        "kubeconfig": config.require_secret("kubeconfig"),
        "storage_class": "fast",
        "gpu_nodes": ["gpu-0", "gpu-1"],
    },
)
provider = kubernetes.Provider("models", kubeconfig=cluster.kubeconfig)
CertManager("cert-manager", {"supply": {}}, pulumi.ResourceOptions(provider=provider))
pulumi.export("findings", cluster.findings)
