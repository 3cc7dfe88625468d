"""Two controls, enforced by the API server itself in namespaces in the scope of the policies."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import Admission

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
Admission(
    "admission",
    {
        "controls": ["SOV-SUP-01", "SOV-SUP-02"],
        "profile": "eu-resident",
        "registry": "registry.example.eu/mirror",
        "kyverno": False,
    },
    on_cluster,
)
