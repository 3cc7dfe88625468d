"""What changes the number of a model's replicas: a count of its requests, and the object that follows it."""

from typing import Any, NotRequired, TypedDict

import pulumi

from corral.catalogue.gateway import PREDICTOR_PORT, predictor
from corral.components.keda.names import NAMESPACE, SCALER, SCALER_PORT, host

ROUTES = "http.keda.sh/v1beta1"
SCALED = "keda.sh/v1alpha1"
SETTLED = {"pulumi.com/waitFor": "condition=Ready"}
POLLING_SECONDS = 15
MOST_STABLE = 3600
"""Seconds that Kubernetes takes for a HorizontalPodAutoscaler's window at most."""


class ModelScaling(TypedDict):
    """How replicas follow requests; one of `concurrency` and `request_rate` at least."""

    cooldown_seconds: int
    """Seconds with fewer requests before replicas end."""
    timeout_seconds: NotRequired[int]
    """Time that an answer may take, the start of a replica included; 600 when omitted."""
    concurrency: NotRequired[int]
    """Requests at a time for one replica."""
    request_rate: NotRequired[int]
    """Requests a second, over a minute, for one replica."""
    keda: NotRequired[pulumi.Input[str]]
    """`Keda.namespace`, where this program makes it; its types must be there already when omitted."""


def counted(name: str, namespace: pulumi.Input[str], scaling: ModelScaling) -> dict[str, Any]:
    """`spec` of an InterceptorRoute: calls of this model, held until a replica answers."""
    limit = f"{scaling.get('timeout_seconds', 600)}s"
    targets = {"concurrency": scaling.get("concurrency"), "requestRate": scaling.get("request_rate")}
    return {
        "rules": [{"hosts": [host(name, namespace)]}],
        "target": {"service": predictor(name), "port": PREDICTOR_PORT},
        "scalingMetric": {key: {"targetValue": value} for key, value in targets.items() if value is not None},
        # A cold start may take all of it.
        "timeouts": {"readiness": "0s", "request": limit, "responseHeader": limit},
    }


def scaled(name: str, scaling: ModelScaling, *, least: int, most: int) -> dict[str, Any]:
    """`spec` of a ScaledObject for the model's Deployment."""
    cooldown = scaling["cooldown_seconds"]
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": predictor(name)},
        "minReplicaCount": least,
        "maxReplicaCount": most,
        "pollingInterval": POLLING_SECONDS,
        "cooldownPeriod": cooldown,
        # The replica that a roll-out has shown to answer stays as long.
        "initialCooldownPeriod": cooldown,
        "advanced": {
            "horizontalPodAutoscalerConfig": {
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": min(cooldown, MOST_STABLE)}}
            }
        },
        "triggers": [
            {
                "type": "external-push",
                "metadata": {
                    "scalerAddress": f"{SCALER}.{NAMESPACE}:{SCALER_PORT}",
                    "interceptorRoute": name,
                },
            }
        ],
    }
