"""A ConfigMap that shows whether the policy pack ran; it comes after everything that is to be evaluated."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import PolicyEvidence, Tenancy

cluster = kubernetes.Provider("cluster", kubeconfig="kubeconfig")
tenancy = Tenancy(
    "tenancy",
    {"tenants": [{"name": "research", "namespace": "research"}]},
    pulumi.ResourceOptions(provider=cluster),
)
evidence = PolicyEvidence("evidence", {}, pulumi.ResourceOptions(provider=cluster, depends_on=[tenancy]))
pulumi.export("policy", evidence.policy)
