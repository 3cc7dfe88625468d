"""Groups of pods on several nodes, for models that one node does not hold."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import LeaderWorkerSets

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
sets = LeaderWorkerSets("lws", {"supply": {}}, on_cluster)
pulumi.export("namespace", sets.namespace)
