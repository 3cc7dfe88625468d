"""What is watched of the store."""

from corral.components._signals import Alert, Panel, Signals, grown


def signals(namespace: str, claim: str) -> Signals:
    """Signals of the store in a namespace, and of the volume behind it."""
    return Signals("Model storage", _panels(namespace, claim), _alerts(namespace, claim))


def _alerts(namespace: str, claim: str) -> list[Alert]:
    """Alerts on the store itself and on the volume behind it."""
    volume = f'{{namespace="{namespace}",persistentvolumeclaim="{claim}"}}'
    failed = f'SeaweedFS_s3_request_total{{namespace="{namespace}",code=~"5.."}}'
    return [
        {
            "name": "ModelStorageDown",
            "expression": f'absent(up{{namespace="{namespace}",service="model-storage"}} == 1)',
            "lasting": "5m",
            "severity": "critical",
            "summary": f"No model storage answers in namespace {namespace}: no replica can load its model.",
        },
        {
            "name": "ModelStorageFilling",
            "expression": (
                f"kubelet_volume_stats_available_bytes{volume}"
                f" / kubelet_volume_stats_capacity_bytes{volume} < 0.1"
            ),
            "lasting": "15m",
            "severity": "warning",
            "summary": f"Volume {claim} in namespace {namespace} has less than 10 % left.",
        },
        {
            "name": "ModelStorageErrors",
            "expression": f"sum({grown(failed, '10m')}) > 0",
            "lasting": "10m",
            "severity": "warning",
            "summary": f"Model storage in namespace {namespace} fails requests; see its log.",
        },
    ]


def _panels(namespace: str, claim: str) -> list[Panel]:
    """Requests, their time, traffic and room."""
    here = f'namespace="{namespace}"'
    volume = f'{{{here},persistentvolumeclaim="{claim}"}}'
    return [
        {
            "title": "Requests",
            "queries": {
                "{{type}} {{code}}": f"sum by (type, code) (rate(SeaweedFS_s3_request_total{{{here}}}[5m]))"
            },
            "unit": "reqps",
        },
        {
            "title": "Request time, 95th percentile",
            "queries": {
                "{{type}}": (
                    "histogram_quantile(0.95, sum by (le, type) "
                    f"(rate(SeaweedFS_s3_request_seconds_bucket{{{here}}}[5m])))"
                )
            },
            "unit": "s",
        },
        {
            "title": "Bytes received",
            "queries": {
                "{{bucket}}": (
                    f"sum by (bucket) (rate(SeaweedFS_s3_bucket_traffic_received_bytes_total{{{here}}}[5m]))"
                )
            },
            "unit": "Bps",
        },
        {
            "title": "Volume",
            "queries": {
                "free": f"kubelet_volume_stats_available_bytes{volume}",
                "size": f"kubelet_volume_stats_capacity_bytes{volume}",
            },
            "unit": "bytes",
        },
    ]
