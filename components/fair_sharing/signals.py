"""What is watched of shared GPUs. Metric names: `pkg/metrics/metrics.go` of kueue v0.19.2."""

from corral.components._signals import Alert, Panel, Signals, grown

WHO = "{{cluster_queue}} {{resource}}"
BY_RESOURCE = "max by (cluster_queue, flavor, resource)"
"""Every replica of the manager may report the same queue."""
EVICTED = "kueue_evicted_workloads_total"
NEVER_READY = f'{EVICTED}{{reason="PodsReadyTimeout"}}'

_ALERTS: tuple[Alert, ...] = (
    {
        "name": "QueueNotActive",
        "expression": 'max by (cluster_queue) (kueue_cluster_queue_status{status!="active"}) > 0',
        "lasting": "10m",
        "severity": "critical",
        "summary": "Queue {{ $labels.cluster_queue }} admits nothing: look at its condition Active",
    },
    {
        "name": "WorkloadNeverReady",
        "expression": f"sum by (cluster_queue) ({grown(NEVER_READY, '1h')}) > 0",
        "lasting": "1m",
        "severity": "warning",
        "summary": "A workload of queue {{ $labels.cluster_queue }} gave its GPUs back: pods were not ready",
    },
    {
        "name": "FairSharingMissing",
        "expression": "absent(kueue_build_info)",
        "lasting": "5m",
        "severity": "critical",
        "summary": "Kueue reports nothing; while it does not answer, no pod of a tenant is made",
    },
)

_PANELS: tuple[Panel, ...] = (
    {
        "title": "GPUs in use, by tenant",
        "queries": {
            WHO: f"sum by (cluster_queue, resource) ({BY_RESOURCE} (kueue_cluster_queue_resource_usage))"
        },
    },
    {
        "title": "GPUs of its own, by tenant",
        "queries": {
            WHO: f"sum by (cluster_queue, resource) ({BY_RESOURCE} (kueue_cluster_queue_nominal_quota))"
        },
    },
    {
        "title": "Workloads that wait",
        "queries": {
            "{{cluster_queue}} {{status}}": "max by (cluster_queue, status) (kueue_pending_workloads)"
        },
    },
    {
        "title": "Workloads stopped, per hour",
        "queries": {
            "{{cluster_queue}} {{reason}}": f"sum by (cluster_queue, reason) ({grown(EVICTED, '1h')})"
        },
    },
)

SIGNALS = Signals("GPUs of tenants", _PANELS, _ALERTS)
