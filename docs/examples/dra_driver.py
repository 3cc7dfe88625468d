"""The DRA driver on nodes whose image brings NVIDIA's driver."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import DraDriver

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
DraDriver("dra-driver", {"platform": "eks-al2023", "supply": {}}, on_cluster)
