"""Values of chart `kyverno`."""

from typing import Any

from corral.catalogue.charts import chart
from corral.components.supply import Supply

UNTOUCHED = ("kube-system", "gpu-operator", "dra-driver-nvidia-gpu")
"""Namespaces whose objects no Kyverno webhook sees: the cluster must heal there while Kyverno is down.

Kyverno's own namespace is left out by the chart itself.
"""

# As patient as the chart's own probes, but a server that is up is seen within two seconds instead of twenty:
# whatever policies must judge waits for it.
PROBES = {
    "startupProbe": {"periodSeconds": 1, "failureThreshold": 120},
    "readinessProbe": {"initialDelaySeconds": 0, "periodSeconds": 2, "failureThreshold": 30},
}


def kyverno_values(
    namespace: str, *, replicas: int, supply: Supply, upgrade_job: bool = True
) -> dict[str, Any]:
    """Values with admission and background controllers alone; the groups of resource types stay complete.

    Exceptions from policies count only in Kyverno's own namespace: who may write there decides.
    """
    values: dict[str, Any] = {
        "admissionController": {"replicas": replicas, **PROBES},
        "backgroundController": {"replicas": 1},
        "cleanupController": {"enabled": False},
        "reportsController": {"enabled": False},
        "features": {
            "admissionReports": {"enabled": False},
            "policyExceptions": {"enabled": True, "namespace": namespace},
        },
        "config": {"webhooks": {"namespaceSelector": _all_but(UNTOUCHED)}},
        # The chart's own test pod would name its image `latest`.
        "test": {"image": {"tag": chart("kyverno").app_version}},
    }
    if not upgrade_job:
        values["crds"] = {"migration": {"enabled": False}}
    if "registry" in supply:
        registry = supply["registry"]
        values["global"] = {"image": {"registry": registry}}
        # These images name registries of their own, which win over the global one.
        values["webhooksCleanup"] = {"image": {"registry": registry}}
        values["test"]["image"]["registry"] = registry
    if "pull_secret" in supply:
        values.setdefault("global", {})["imagePullSecrets"] = [{"name": supply["pull_secret"]}]
    return values


def _all_but(namespaces: tuple[str, ...]) -> dict[str, Any]:
    return {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(namespaces)}
        ]
    }
