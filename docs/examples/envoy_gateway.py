"""Envoy Gateway, on a cluster that has the resource types of the Gateway API."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import EnvoyGateway

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
controller = EnvoyGateway("envoy-gateway", {"supply": {}}, on_cluster)
pulumi.export("proxies", controller.namespace)
