"""An endpoint before the models of two tenants, by API keys and by an identity provider's tokens."""

import pulumi
import pulumi_kubernetes as kubernetes

from corral import EnvoyGateway, Gateway

on_cluster = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig="kubeconfig"))
controller = EnvoyGateway("envoy-gateway", {"supply": {}}, on_cluster)
gateway = Gateway(
    "gateway",
    {
        "host": "models.example.eu",
        "tenants": [
            {"name": "assistants", "namespace": "assistants", "models": ["chat"], "requests_per_minute": 600},
            {
                "name": "research",
                "namespace": "research",
                "models": ["reason"],
                "requests_per_minute": 60,
                "tokens": {
                    "issuer": "https://id.example.eu/realms/research",
                    "jwks": "https://id.example.eu/realms/research/protocol/openid-connect/certs",
                    "network": "10.20.0.0/24",
                    "audiences": ["models"],
                },
            },
        ],
        "controller": controller.namespace,
        "supply": {},
    },
    on_cluster,
)
pulumi.export("endpoints", gateway.endpoints)
