"""What is watched on a vector database.

Sources of metric names: kubelet and kube-state-metrics for volume and readiness, the PostgreSQL exporter's
default collectors, and Qdrant's `/metrics`.
"""

from collections.abc import Mapping

from corral.catalogue.vocabulary import VectorEngine
from corral.components._signals import Alert, Panel, Signals
from corral.components.vector_db.names import SERVICE

FREE_SHARE = 0.15
"""Share of the volume that must stay free; an index build needs room for the new index beside the old one."""


def signals(engine: VectorEngine, namespace: str) -> Signals:
    """Signals of a database in a namespace."""
    return Signals("Vector database", _panels(engine, namespace), _alerts(engine, namespace))


def _alerts(engine: VectorEngine, namespace: str) -> tuple[Alert, ...]:
    """Alerts on a database that is down, fills its volume, or is in trouble by its own account."""
    here = f'namespace="{namespace}"'
    ready = f'kube_statefulset_status_replicas_ready{{{here},statefulset="{SERVICE}"}}'
    desired = f'kube_statefulset_replicas{{{here},statefulset="{SERVICE}"}}'
    free = f"kubelet_volume_stats_available_bytes{{{here}}} / kubelet_volume_stats_capacity_bytes{{{here}}}"
    shared: tuple[Alert, ...] = (
        {
            "name": "VectorDatabaseNotReady",
            "expression": f"{ready} < {desired}",
            "lasting": "5m",
            "severity": "critical",
            "summary": f"Only {{{{ $value }}}} pods of the vector database in {namespace} are ready",
        },
        {
            "name": "VectorDatabaseVolumeFull",
            "expression": f"{free} < {FREE_SHARE}",
            "lasting": "15m",
            "severity": "warning",
            "summary": "Volume {{ $labels.persistentvolumeclaim }} has little room left: enlarge it",
        },
    )
    return (*shared, *_own_alerts(here)[engine])


def _own_alerts(here: str) -> Mapping[VectorEngine, tuple[Alert, ...]]:
    connections = f"sum by (namespace) (pg_stat_activity_count{{{here}}})"
    allowed = f"max by (namespace) (pg_settings_max_connections{{{here}}})"
    return {
        VectorEngine.PGVECTOR: (
            {
                "name": "VectorDatabaseUnreachable",
                "expression": f"pg_up{{{here}}} == 0",
                "lasting": "5m",
                "severity": "critical",
                "summary": "The exporter cannot log in to PostgreSQL: look at certificate and password",
            },
            {
                "name": "VectorDatabaseConnectionsExhausted",
                "expression": f"{connections} > 0.9 * {allowed}",
                "lasting": "5m",
                "severity": "warning",
                "summary": "More than nine of ten connections are in use: pool them on the client's side",
            },
        ),
        VectorEngine.QDRANT: (
            {
                "name": "VectorDatabaseRecovering",
                "expression": f"app_status_recovery_mode{{{here}}} > 0",
                "lasting": "1m",
                "severity": "critical",
                "summary": "Qdrant runs in recovery mode and serves no searches",
            },
        ),
    }


def _panels(engine: VectorEngine, namespace: str) -> tuple[Panel, ...]:
    """Panels on the volume, and on the engine's own figures."""
    here = f'namespace="{namespace}"'
    volume: Panel = {
        "title": "Volume in use",
        "queries": {
            "{{persistentvolumeclaim}}": f"kubelet_volume_stats_used_bytes{{{here}}}"
            f" / kubelet_volume_stats_capacity_bytes{{{here}}}"
        },
        "unit": "percentunit",
    }
    return (volume, *_own_panels(here)[engine])


def _own_panels(here: str) -> Mapping[VectorEngine, tuple[Panel, ...]]:
    committed = f"pg_stat_database_xact_commit{{{here}}}"
    rolled_back = f"pg_stat_database_xact_rollback{{{here}}}"
    return {
        VectorEngine.PGVECTOR: (
            {
                "title": "Database size",
                "queries": {"{{datname}}": f"pg_database_size_bytes{{{here}}}"},
                "unit": "bytes",
            },
            {
                "title": "Connections",
                "queries": {"{{state}}": f"sum by (state) (pg_stat_activity_count{{{here}}})"},
            },
            {
                "title": "Transactions per second",
                "queries": {
                    "committed": f"sum(rate({committed}[5m]))",
                    "rolled back": f"sum(rate({rolled_back}[5m]))",
                },
            },
        ),
        VectorEngine.QDRANT: (
            {"title": "Points", "queries": {"{{pod}}": f"sum by (pod) (collection_points{{{here}}})"}},
            {"title": "Collections", "queries": {"{{pod}}": f"collections_total{{{here}}}"}},
            {
                "title": "Pending operations",
                "queries": {"{{pod}}": f"cluster_pending_operations_total{{{here}}}"},
            },
        ),
    }
