"""Kyverno for namespaces in the scope of the policies, and no others."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import Kyverno

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
kyverno = Kyverno("kyverno", {"scope": "namespaces", "replicas": 3, "supply": {}}, on_cluster)
pulumi.export("kyverno", kyverno.namespace)
