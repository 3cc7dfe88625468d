"""A plan as one HTML page that needs nothing but itself."""

from corral.stacks.page.document import page

__all__ = ["page"]
