"""Types of the Prometheus operator, for the alerts of other components."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import Crds

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
types = Crds("prometheus-types", {"set": "prometheus-crds", "supply": {}}, on_cluster)
pulumi.export("types", types.definition)
