"""What is watched of scaling. Metric names: `pkg/metricscollector/prommetrics.go` of KEDA v2.20.2."""

from corral.components._signals import Alert, Monitor, Panel, Signals, grown

SERVICE = "keda-operator"
SCRAPE = Monitor({"app.kubernetes.io/name": SERVICE}, "metrics")
"""The operator asks every trigger, its metrics server hands on what it has."""
FAILED = "keda_scaler_detail_errors_total"
MANY_ERRORS = 3
"""In ten minutes: a trigger that is asked while its server starts anew fails once or twice."""
WHO = "{{exported_namespace}}/{{scaledObject}}"
"""What is scaled; `namespace` is that of the scraped pod."""
TRIGGER = f"{WHO} {{{{metric}}}}"
BY_TRIGGER = "max by (exported_namespace, scaledObject, metric)"
"""Of several operators one asks, and one that has handed over may report its last values for a while."""


def signals(namespace: str) -> Signals:
    """Signals of KEDA in a namespace."""
    here = f'{{namespace="{namespace}",service="{SERVICE}"}}'
    return Signals("Scaling", _panels(here), _alerts(here))


def _alerts(here: str) -> list[Alert]:
    errors = "sum by (exported_namespace, scaledObject, metric)"
    return [
        {
            "name": "KedaMissing",
            "expression": f"absent(up{here} == 1)",
            "lasting": "5m",
            "severity": "critical",
            "summary": "KEDA does not answer: no model follows its calls, and none that has no copy starts",
        },
        {
            "name": "TriggerFails",
            "expression": f"{errors} ({grown(FAILED + here, '10m')}) > {MANY_ERRORS}",
            "lasting": "5m",
            "severity": "warning",
            "summary": "Trigger {{ $labels.metric }} of {{ $labels.exported_namespace }}/"
            "{{ $labels.scaledObject }} cannot be asked: its copies do not end, and may not become more",
        },
    ]


def _panels(here: str) -> list[Panel]:
    return [
        {
            "title": "Values of triggers",
            "queries": {TRIGGER: f"{BY_TRIGGER} (keda_scaler_metrics_value{here})"},
        },
        {"title": "Active triggers", "queries": {TRIGGER: f"{BY_TRIGGER} (keda_scaler_active{here})"}},
        {
            "title": "Failed questions to triggers, per hour",
            "queries": {
                TRIGGER: f"sum by (exported_namespace, scaledObject, metric) ({grown(FAILED + here, '1h')})"
            },
        },
        {
            "title": "Time of a question",
            "queries": {TRIGGER: f"{BY_TRIGGER} (keda_scaler_metrics_latency_seconds{here})"},
            "unit": "s",
        },
    ]
