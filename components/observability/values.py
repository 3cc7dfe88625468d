"""Values of chart `kube-prometheus-stack`."""

from collections.abc import Mapping
from typing import Any

import pulumi

from corral.components._credentials import CREDENTIAL_REVISION
from corral.components.observability.alerts import ALERTS_SECRET
from corral.components.observability.digests import with_digests
from corral.components.supply import Supply

FULL_NAME = "monitoring"
"""What the chart's objects are named after; the Prometheus Service is `<this>-prometheus`."""
GRAFANA = "grafana"
"""Name of Grafana's Deployment and Service."""
GRAFANA_PORT = 80
PROMETHEUS_PORT = 9090
ADMIN_SECRET = "grafana-admin"
ADMIN_USER_KEY = "admin-user"
ADMIN_PASSWORD_KEY = "admin-password"

GRAFANA_SETTINGS: Mapping[str, Any] = {
    "analytics": {
        "reporting_enabled": False,
        "check_for_updates": False,
        "check_for_plugin_updates": False,
        "feedback_links_enabled": False,
    },
    "news": {"news_feed_enabled": False},
    "plugins": {
        "plugin_admin_enabled": False,
        "preinstall_disabled": True,
        "public_key_retrieval_disabled": True,
    },
    "security": {"disable_gravatar": True},
    "snapshots": {"external_enabled": False},
}
"""Settings by which Grafana keeps to itself, and to what its image has.

Since version 13 it has newer releases of its plugins installed at each start, the one for Prometheus among
them, in place of those of the image: where that folder is not its user's, dashboards then show nothing.
"""
CONTROL_PLANE = ("kubeScheduler", "kubeControllerManager", "kubeEtcd", "kubeProxy")
"""What the chart scrapes of a cluster's own."""
SELECTORS = ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
FILL_LIMIT_PERCENT = 85
"""Share of the volume after which Prometheus drops old samples; compaction needs the rest."""


def stack_values(
    *,
    retention_days: int,
    size_gib: int,
    storage_class: str | None,
    control_plane: bool,
    supply: Supply,
    credential_revision: pulumi.Input[str] = "",
    alerts: bool = False,
) -> dict[str, Any]:
    """Values that find everyone's monitors, rules and dashboards, keep samples on a volume, and phone nobody.

    The resource types come first, by a chart of their own. The operator's admission webhook stays out: rules
    are checked by tests, and a webhook that is down would refuse every rule of every component.
    """
    values: dict[str, Any] = {
        "fullnameOverride": FULL_NAME,
        "crds": {"enabled": False},
        "prometheusOperator": {"admissionWebhooks": {"enabled": False}, "tls": {"enabled": False}},
        "prometheus": {"prometheusSpec": _prometheus(retention_days, size_gib, storage_class)},
        "grafana": _grafana(credential_revision),
        # With its monitor each of them brings an alert that it has disappeared.
        **{one: {"enabled": control_plane} for one in CONTROL_PLANE},
    }
    if alerts:
        spec = {"useExistingSecret": True, "configSecret": ALERTS_SECRET}
        values["alertmanager"] = {"alertmanagerSpec": spec}
    everywhere: dict[str, Any] = {}
    if "registry" in supply:
        everywhere["imageRegistry"] = supply["registry"]
    if "pull_secret" in supply:
        everywhere["imagePullSecrets"] = [{"name": supply["pull_secret"]}]
    return with_digests({**values, "global": everywhere} if everywhere else values)


def operated(namespace: str) -> str:
    """URL of the Prometheus of a namespace by the Service that the operator makes beside each."""
    return f"http://prometheus-operated.{namespace}.svc:{PROMETHEUS_PORT}"


def _prometheus(retention_days: int, size_gib: int, storage_class: str | None) -> dict[str, Any]:
    claim: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{size_gib}Gi"}},
    }
    if storage_class is not None:
        claim["storageClassName"] = storage_class
    return {
        **{f"{what}SelectorNilUsesHelmValues": False for what in SELECTORS},
        "retention": f"{retention_days}d",
        "retentionSize": f"{size_gib * 1024 * FILL_LIMIT_PERCENT // 100}MiB",
        "storageSpec": {"volumeClaimTemplate": {"spec": claim}},
    }


def _grafana(credential_revision: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "fullnameOverride": GRAFANA,
        "admin": {
            "existingSecret": ADMIN_SECRET,
            "userKey": ADMIN_USER_KEY,
            "passwordKey": ADMIN_PASSWORD_KEY,
        },
        # Its users are in its pod: one that starts anew takes the password that there is then.
        "podAnnotations": {CREDENTIAL_REVISION: credential_revision},
        "sidecar": {"dashboards": {"enabled": True, "label": "grafana_dashboard", "searchNamespace": "ALL"}},
        "grafana.ini": GRAFANA_SETTINGS,
    }
