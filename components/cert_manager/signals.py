"""What is watched of certificates. Metric names: `internal/collectors` and `pkg/metrics` of v1.21.1."""

from corral.components._signals import Alert, Monitor, Panel, Signals

INSTANCE = "app.kubernetes.io/instance"
METRICS_PORT = 9402
SCRAPE = Monitor({INSTANCE: "cert-manager"}, METRICS_PORT, pods=True)
"""Controller, webhook and injector: their Services call the port differently, their pods have one number."""
OF = "{{ $labels.exported_namespace }}/{{ $labels.name }}"
"""A certificate; `namespace` is that of the scraped pod."""


def signals(namespace: str) -> Signals:
    """Signals of cert-manager in a namespace."""
    return Signals("Certificates", _PANELS, _alerts(namespace))


def _alerts(namespace: str) -> list[Alert]:
    controller = f'up{{namespace="{namespace}",container="cert-manager-controller"}}'
    return [
        {
            "name": "CertificateNotReady",
            "expression": "max by (exported_namespace, name) "
            '(certmanager_certificate_ready_status{condition!="True"}) > 0',
            "lasting": "15m",
            "severity": "warning",
            "summary": f"Certificate {OF} is not issued: look at its condition Ready",
        },
        {
            "name": "CertificateNotRenewed",
            # The time is 0 until the certificate has been issued.
            "expression": "time() - (certmanager_certificate_renewal_timestamp_seconds > 0) > 3600",
            "lasting": "15m",
            "severity": "critical",
            "summary": f"Certificate {OF} should have been renewed an hour ago and ends soon",
        },
        {
            "name": "CertManagerMissing",
            "expression": f"absent({controller} == 1)",
            "lasting": "10m",
            "severity": "critical",
            "summary": "cert-manager does not answer: nothing renews certificates of webhooks and databases",
        },
    ]


_PANELS: tuple[Panel, ...] = (
    {
        "title": "Certificates left",
        "queries": {
            "{{exported_namespace}}/{{name}}": "(certmanager_certificate_expiration_timestamp_seconds > 0)"
            " - time()"
        },
        "unit": "s",
    },
    {
        "title": "Failed reconciliations, per hour",
        "queries": {
            "{{controller}}": "sum by (controller) (increase(certmanager_controller_sync_error_count[1h]))"
        },
    },
)
