"""Values of the charts of KEDA and of its HTTP add-on."""

from typing import Any

from corral.catalogue.images import image
from corral.components.supply import Supply, pull_secrets, repository_and_tag

ROLES = ("interceptor", "operator", "scaler")
INTERCEPTOR_LABELS = {
    "app.kubernetes.io/component": "interceptor",
    "app.kubernetes.io/instance": "keda-add-ons-http",
}
SCALER_LABELS = {**INTERCEPTOR_LABELS, "app.kubernetes.io/component": "scaler"}
MOST_INTERCEPTORS = 10
INTERCEPTOR_RESOURCES = {
    "requests": {"cpu": "100m", "memory": "64Mi"},
    # Held calls keep their bodies and connections.
    "limits": {"cpu": "2", "memory": "512Mi"},
}
CONTROLLER_RESOURCES = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}
SECCOMP = {"seccompProfile": {"type": "RuntimeDefault"}}
PROBE = {"initialDelaySeconds": 1, "periodSeconds": 3}
"""A pod that is up is seen within seconds, not after 20."""


def keda_values(*, replicas: int, supply: Supply) -> dict[str, Any]:
    """Values of `keda`: operator and metrics API; its webhooks only look at objects of others.

    Of several operators and metrics servers one works; the others take over.
    """
    secrets = pull_secrets(supply)
    budget = {"podDisruptionBudget": {"operator": {"minAvailable": 1}, "metricServer": {"minAvailable": 1}}}
    return {
        "image": {
            "keda": _image("keda", supply),
            "metricsApiServer": _image("keda-metrics-apiserver", supply),
            "pullPolicy": "IfNotPresent",
        },
        **({"imagePullSecrets": secrets} if secrets else {}),
        "operator": {"replicaCount": replicas, "readinessProbe": PROBE},
        "metricsServer": {"replicaCount": replicas, "readinessProbe": PROBE},
        **(budget if replicas > 1 else {}),
        "prometheus": {"operator": {"enabled": True}},
        "webhooks": {"enabled": False},
        # It scales Deployments and StatefulSets, for which it reads no Secret but its own.
        "rbac": {"enabledCustomScaledRefKinds": False},
        "permissions": {
            "operator": {"restrict": {"secret": True}},
            "metricServer": {"restrict": {"secret": True}},
        },
    }


def http_values(*, replicas: int, drain_seconds: int, supply: Supply) -> dict[str, Any]:
    """Values of `keda-add-ons-http`: interceptors that are never without a second one, and one scaler each.

    `drain_seconds`: how long an interceptor that is to end waits for the answers that it passes on.
    """
    secrets = pull_secrets(supply)
    common = {"pullPolicy": "IfNotPresent", **({"imagePullSecrets": secrets} if secrets else {})}
    images = {name: repository_and_tag(image(f"keda-http-{name}"), supply) for name in ROLES}
    # One tag for all three: none takes a digest.
    (tag,) = {tag.partition("@")[0] for _, tag in images.values()}
    return {
        "images": {"tag": tag, **{name: repository for name, (repository, _) in images.items()}},
        "podSecurityContext": {"runAsNonRoot": True, **SECCOMP},
        "securityContext": {"runAsNonRoot": True, **SECCOMP},
        "operator": {**common, "replicas": replicas, "resources": CONTROLLER_RESOURCES},
        "scaler": {**common, "replicas": replicas, "resources": CONTROLLER_RESOURCES},
        "interceptor": {
            **common,
            "replicas": {"min": replicas, "max": max(replicas, MOST_INTERCEPTORS)},
            "drainTimeout": f"{drain_seconds}s",
            "terminationGracePeriodSeconds": drain_seconds + 15,
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": INTERCEPTOR_LABELS},
                }
            ],
            "resources": INTERCEPTOR_RESOURCES,
        },
    }


def _image(name: str, supply: Supply) -> dict[str, str]:
    repository, tag = repository_and_tag(image(name), supply)
    registry, _, path = repository.partition("/")
    return {"registry": registry, "repository": path, "tag": tag}
