"""Prometheus, Alertmanager and Grafana, with samples of thirty days."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import Observability

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
observability = Observability(
    "observability",
    {
        "grafana_password": pulumi.Config().require_secret("grafana-password"),
        "retention_days": 30,
        "size_gib": 100,
        "supply": {},
    },
    on_cluster,
)
pulumi.export("namespace", observability.namespace)
