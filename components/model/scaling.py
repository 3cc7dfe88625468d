"""What changes a model's replicas: counts of its requests, its engine's metrics, the object that follows."""

from typing import Any, NotRequired, TypedDict

import pulumi

from corral.catalogue.engine_metrics import COUNTED, METRICS, SHARES
from corral.catalogue.serving_kinds import ServedNames
from corral.catalogue.vocabulary import Engine, EngineMetric
from corral.components._words import EngineMetricWord
from corral.components.keda.names import NAMESPACE, SCALER, SCALER_PORT, host

ROUTES = "http.keda.sh/v1beta1"
SCALED = "keda.sh/v1alpha1"
SETTLED = {"pulumi.com/waitFor": "condition=Ready"}
POLLING_SECONDS = 15
MOST_STABLE = 3600
"""Seconds that Kubernetes takes for a HorizontalPodAutoscaler's window at most."""


RATE_WINDOW = "2m"
"""Four scrapes: a rate needs two, and one may fail."""


class EngineTrigger(TypedDict):
    """A metric of the engine that replicas follow."""

    metric: EngineMetricWord
    """What is followed, summed over all replicas; its engine must print it."""
    threshold: int
    """As much of it for one replica: requests, tokens a second, or percent of its cache."""


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
    triggers: NotRequired[list[EngineTrigger]]
    """Metrics of the engine beside those; what needs most replicas counts."""
    prometheus: NotRequired[pulumi.Input[str]]
    """URL of the Prometheus that has these metrics, such as `Observability.prometheus`; with `triggers`."""
    keda: NotRequired[pulumi.Input[str]]
    """`Keda.namespace`, where this program makes it; its types must be there already when omitted."""


def counted(
    name: str, namespace: pulumi.Input[str], scaling: ModelScaling, names: ServedNames
) -> dict[str, Any]:
    """`spec` of an InterceptorRoute: calls of this model, held until a replica answers."""
    limit = f"{scaling.get('timeout_seconds', 600)}s"
    targets = {"concurrency": scaling.get("concurrency"), "requestRate": scaling.get("request_rate")}
    return {
        "rules": [{"hosts": [host(name, namespace)]}],
        "target": {"service": names.service, "port": names.port},
        "scalingMetric": {key: {"targetValue": value} for key, value in targets.items() if value is not None},
        # A cold start may take all of it.
        "timeouts": {"readiness": "0s", "request": limit, "responseHeader": limit},
    }


def scaled(
    name: str,
    names: ServedNames,
    namespace: pulumi.Input[str],
    engine: Engine,
    scaling: ModelScaling,
    *,
    least: int,
    most: int,
) -> dict[str, Any]:
    """`spec` of a ScaledObject for the model's Deployment.

    There is one for all that replicas follow: two of one Deployment would undo each other's numbers.
    """
    cooldown = scaling["cooldown_seconds"]
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.workload},
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
            },
            *(_followed(names, namespace, engine, scaling, one) for one in scaling.get("triggers", [])),
        ],
    }


def _followed(
    names: ServedNames,
    namespace: pulumi.Input[str],
    engine: Engine,
    scaling: ModelScaling,
    trigger: EngineTrigger,
) -> dict[str, Any]:
    """A trigger by Prometheus: the sum over all replicas, of which each takes its threshold.

    Without a replica there is no series, which is taken for 0: the count of calls wakes the first one.
    """
    metric = EngineMetric(trigger["metric"])
    place = f'",service="{names.service}"}}'
    series = pulumi.Output.concat(f'{METRICS[engine][metric]}{{namespace="', namespace, place)
    counted = f"[{RATE_WINDOW}])" if metric in COUNTED else ""
    query = pulumi.Output.concat("sum(", "rate(" if counted else "", series, counted, ")")
    percent = metric in SHARES
    return {
        "type": "prometheus",
        "name": metric.value,
        "metadata": {
            "serverAddress": scaling.get("prometheus"),
            "query": query,
            "threshold": str(trigger["threshold"] / 100 if percent else trigger["threshold"]),
        },
    }
