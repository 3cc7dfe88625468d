"""Classes by which nodes schedule and evict the pods of models, imports and batches."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import PriorityClasses

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
classes = PriorityClasses("priority-classes", {}, on_cluster)
pulumi.export("high", classes.names["high"])
