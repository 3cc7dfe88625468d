"""KServe, on a cluster that has cert-manager."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import KServe

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
kserve = KServe("kserve", {"supply": {}}, on_cluster)
pulumi.export("runtimes", kserve.runtimes)
