"""A plan as one HTML page that needs nothing but itself."""

from corral.stacks.reports.html.document import page

__all__ = ["page"]
