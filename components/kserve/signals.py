"""What is watched of KServe's controller. Names: `pkg/internal/controller/metrics` of controller-runtime."""

from corral.components._signals import Alert, Monitor, Panel, Signals

METRICS_SERVICE = "kserve-controller-manager-metrics-service"
SCRAPE = Monitor(
    {"control-plane": "kserve-controller-manager"},
    "https",
    # The chart's proxy before the metrics asks who it is; its certificate is one of its own making.
    connection={
        "scheme": "https",
        "bearerTokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "tlsConfig": {"insecureSkipVerify": True},
    },
)
MANY_ERRORS = 5
"""In a quarter of an hour: a conflict now and then is no error."""


def signals(namespace: str) -> Signals:
    """Signals of KServe in a namespace."""
    here = f'{{namespace="{namespace}",service="{METRICS_SERVICE}"}}'
    return Signals("KServe", _panels(here), _alerts(here))


def _alerts(here: str) -> list[Alert]:
    errors = f"sum by (controller) (increase(controller_runtime_reconcile_errors_total{here}[15m]))"
    return [
        {
            "name": "KServeMissing",
            "expression": f"absent(up{here} == 1)",
            "lasting": "10m",
            "severity": "critical",
            "summary": "KServe's controller does not answer: models serve on, but none is made or changed",
        },
        {
            "name": "KServeFails",
            "expression": f"{errors} > {MANY_ERRORS}",
            "lasting": "15m",
            "severity": "warning",
            "summary": "KServe's controller {{ $labels.controller }} fails again and again: look at its log",
        },
    ]


def _panels(here: str) -> list[Panel]:
    slow = f"sum by (le, controller) (rate(controller_runtime_reconcile_time_seconds_bucket{here}[5m]))"
    return [
        {
            "title": "Reconciliations per second",
            "queries": {
                "{{controller}} {{result}}": "sum by (controller, result) "
                f"(rate(controller_runtime_reconcile_total{here}[5m]))"
            },
        },
        {
            "title": "Time of one, 95th percentile",
            "queries": {"{{controller}}": f"histogram_quantile(0.95, {slow})"},
            "unit": "s",
        },
        {
            "title": "Objects that wait",
            "queries": {"{{name}}": f"sum by (name) (workqueue_depth{here})"},
        },
    ]
