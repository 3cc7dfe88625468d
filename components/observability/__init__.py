"""Metrics, alerts and dashboards."""

from corral.components.observability.component import Observability, ObservabilityArgs
from corral.components.observability.values import operated

__all__ = ["Observability", "ObservabilityArgs", "operated"]
