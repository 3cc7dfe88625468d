"""Metrics, alerts and dashboards."""

from corral.components.observability.component import Observability, ObservabilityArgs

__all__ = ["Observability", "ObservabilityArgs"]
