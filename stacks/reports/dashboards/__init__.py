"""Dashboards of a running platform: read from its cluster, drawn as one page."""

from corral.stacks.reports.dashboards.measured import (
    MeasuredDashboard,
    MeasuredPanel,
    MeasuredSeries,
    NoPrometheus,
    measured,
)
from corral.stacks.reports.dashboards.page import page

__all__ = ["MeasuredDashboard", "MeasuredPanel", "MeasuredSeries", "NoPrometheus", "measured", "page"]
