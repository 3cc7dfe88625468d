"""What is watched of policies in the admission path. Metric names: `pkg/metrics` of kyverno v1.19."""

from corral.components._signals import Alert, Monitor, Panel, Signals, grown

SCRAPE = Monitor({"app.kubernetes.io/instance": "kyverno"}, "metrics-port")
"""Both controllers that run: the chart makes a Service for the metrics of each."""
ADMISSION_SERVICE = "kyverno-svc-metrics"
RESULTS = "kyverno_validating_policy_results_total"
ERRORS, NOT_PASSED = f'{RESULTS}{{result="error"}}', f'{RESULTS}{{result!="pass"}}'
SLOW_SECONDS = 5
"""The API server gives up a webhook of Kyverno after ten."""


def signals(namespace: str) -> Signals:
    """Signals of Kyverno in a namespace."""
    return Signals("Kyverno", _PANELS, _alerts(namespace))


def _alerts(namespace: str) -> list[Alert]:
    admission = f'up{{namespace="{namespace}",service="{ADMISSION_SERVICE}"}}'
    return [
        {
            "name": "KyvernoMissing",
            "expression": f"absent({admission} == 1)",
            "lasting": "5m",
            "severity": "critical",
            "summary": "No admission controller of Kyverno answers; every create that it guards is refused",
        },
        {
            "name": "KyvernoSlow",
            "expression": f"{_quantile('kyverno_admission_review_duration_seconds')} > {SLOW_SECONDS}",
            "lasting": "5m",
            "severity": "critical",
            "summary": f"Kyverno takes more than {SLOW_SECONDS} s to answer; after 10 s requests are refused",
        },
        {
            "name": "PolicyFails",
            "expression": f"sum by (policy_name) ({grown(ERRORS, '15m')}) > 0",
            "lasting": "5m",
            "severity": "warning",
            "summary": "Policy {{ $labels.policy_name }} cannot be evaluated: look at Kyverno's log",
        },
    ]


def _quantile(metric: str) -> str:
    return f"histogram_quantile(0.99, sum by (le) (rate({metric}_bucket[5m])))"


_PANELS: tuple[Panel, ...] = (
    {
        "title": "Requests per second",
        "queries": {
            "allowed: {{request_allowed}}": "sum by (request_allowed) "
            "(rate(kyverno_admission_requests_total[5m]))"
        },
    },
    {
        "title": "Time to an answer, 99th percentile",
        "queries": {
            "request": _quantile("kyverno_admission_review_duration_seconds"),
            "policy": _quantile("kyverno_validating_policy_execution_duration_seconds"),
        },
        "unit": "s",
    },
    {
        "title": "Results of policies, per hour",
        "queries": {
            "{{policy_name}} {{result}}": f"sum by (policy_name, result) ({grown(NOT_PASSED, '1h')})"
        },
    },
)
