"""Values of chart `kyverno`."""

from typing import Any

from corral.catalogue.addons import descriptor
from corral.catalogue.images import image
from corral.catalogue.vocabulary import Addon
from corral.components.supply import Supply, pull_secrets, repository_and_tag
from corral.controls.scope import Scope

EVERYWHERE = Scope(())
DRIVERS = (Addon.GPU_OPERATOR, Addon.DRA_DRIVER, Addon.EFA_DEVICE_PLUGIN)
UNTOUCHED = tuple(descriptor(one).namespace for one in DRIVERS)
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
    namespace: str,
    *,
    replicas: int,
    supply: Supply,
    upgrade_job: bool = True,
    scope: Scope = EVERYWHERE,
    registry_ca: str | None = None,
) -> dict[str, Any]:
    """Values with admission and background controllers alone; the groups of resource types stay complete.

    Exceptions from policies count only in Kyverno's own namespace: who may write there decides.
    """
    values: dict[str, Any] = {
        "admissionController": {
            "replicas": replicas,
            **PROBES,
            "container": _pinned("kyverno"),
            "initContainer": _pinned("kyverno-init"),
        },
        "backgroundController": {"replicas": 1, **_pinned("kyverno-background")},
        "cleanupController": {"enabled": False},
        "reportsController": {"enabled": False},
        "features": {
            "admissionReports": {"enabled": False},
            "policyExceptions": {"enabled": True, "namespace": namespace},
        },
        "config": {"webhooks": {"namespaceSelector": scope.selector(beside=UNTOUCHED)}},
        "webhooksCleanup": _pinned("kyverno-readiness"),
        # The chart's own test pod would name its image `latest`.
        "test": _pinned("kyverno-readiness"),
        "crds": {"migration": _pinned("kyverno-cli") if upgrade_job else {"enabled": False}},
    }
    if "registry" in supply:
        registry = supply["registry"]
        values["global"] = {"image": {"registry": registry}}
        # These images name registries of their own, which win over the global one.
        values["webhooksCleanup"]["image"]["registry"] = registry
        values["test"]["image"]["registry"] = registry
    if registry_ca is not None:
        values["admissionController"]["caCertificates"] = {"data": registry_ca}
    if pull_secrets(supply):
        values.setdefault("global", {})["imagePullSecrets"] = pull_secrets(supply)
    return values


def _pinned(name: str) -> dict[str, Any]:
    """Tag of an image of the catalogue; the chart prints a digest behind it as it is."""
    return {"image": {"tag": repository_and_tag(image(name), {})[1]}}
