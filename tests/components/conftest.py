from tests.charts.conftest import render, upstream_charts

__all__ = ["render", "upstream_charts"]
