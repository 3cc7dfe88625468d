"""cert-manager, its chart and images by way of a mirror."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import CertManager

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
cert_manager = CertManager("cert-manager", {"supply": {"registry": "registry.example.eu/mirror"}}, on_cluster)
pulumi.export("certificates", cert_manager.namespace)
