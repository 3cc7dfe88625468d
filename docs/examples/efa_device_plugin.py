"""AWS's fabric for the pods of a GPU pool on EKS."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import EfaDevicePlugin

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
plugin = EfaDevicePlugin("efa", {"pools": ["training"], "supply": {}}, on_cluster)
pulumi.export("resource", plugin.resource)
