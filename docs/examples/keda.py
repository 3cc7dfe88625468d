"""KEDA with its HTTP add-on, for models with `scaling`."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import Keda

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
keda = Keda("keda", {"supply": {}}, on_cluster)
pulumi.export("namespace", keda.namespace)
