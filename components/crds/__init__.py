"""Resource types that must exist before the charts that use them."""

from corral.components.crds.component import Crds, CrdsArgs, CrdSet

__all__ = ["CrdSet", "Crds", "CrdsArgs"]
