from tests.charts.conftest import render

__all__ = ["render"]
