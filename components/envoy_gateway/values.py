"""Values of the charts `gateway-helm` and `gateway-crds-helm`."""

from typing import Any

from corral.catalogue.addons import descriptor
from corral.catalogue.images import image
from corral.catalogue.vocabulary import Addon
from corral.components.envoy_gateway.rate_limits import RateLimits, configuration
from corral.components.supply import Supply, pull_secrets

NAMESPACE = descriptor(Addon.ENVOY_GATEWAY).namespace
CONTROLLER_NAME = "gateway.envoyproxy.io/gatewayclass-controller"
XDS_PORT, WASM_PORT, METRICS_PORT = 18000, 18002, 19001
PODS = {"control-plane": "envoy-gateway"}
"""Labels of the controller's pods."""


def envoy_gateway_crd_values() -> dict[str, Any]:
    """Envoy Gateway's own types alone: those of the Gateway API have another owner."""
    return {"crds": {"gatewayAPI": {"enabled": False}, "envoyGateway": {"enabled": True}}}


def envoy_gateway_values(
    *, replicas: int, supply: Supply, rate_limits: RateLimits | None = None, namespace: str = NAMESPACE
) -> dict[str, Any]:
    """Values of the controller's chart: no types, no webhook on pods; with Lua and Backends, off by default.

    The script that reads the model of a request is Lua (`components/gateway/script.py`); a Backend says by
    which name and authority an identity provider is known.
    """
    secrets = {"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}
    limited = (
        {}
        if rate_limits is None
        else configuration(rate_limits, replicas=replicas, namespace=namespace, supply=supply)
    )
    return {
        "crds": {"enabled": False},
        "global": {
            **secrets,
            # Of images that only the configuration names, too.
            **({"imageRegistry": supply["registry"]} if "registry" in supply else {}),
            "images": {
                "envoyGateway": {"image": image("envoy-gateway").reference()},
                "envoyProxy": {"image": image("envoy").reference()},
            },
        },
        "deployment": {"replicas": replicas},
        **({"podDisruptionBudget": {"minAvailable": 1}} if replicas > 1 else {}),
        "topologyInjector": {"enabled": False},
        "config": {
            "envoyGateway": {
                "gateway": {"controllerName": CONTROLLER_NAME},
                "provider": {"type": "Kubernetes"},
                "extensionApis": {"enableLua": True, "enableBackend": True},
                **limited,
            }
        },
    }
