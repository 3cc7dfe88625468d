"""Limits that all proxies share, on a cluster that has the resource types of the Gateway API."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import EnvoyGateway, RateLimitStore

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
password = pulumi.Config().require_secret("token-limits-password")
store = RateLimitStore("counts", {"password": password, "supply": {}}, on_cluster)
controller = EnvoyGateway(
    "envoy-gateway",
    {
        "rate_limits": {
            "store": store.address,
            "store_namespace": "token-limits",
            "store_port": 6379,
            "password": password,
        },
        "supply": {},
    },
    on_cluster,
)
pulumi.export("proxies", controller.namespace)
