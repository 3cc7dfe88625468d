"""The DRA driver."""

from corral.components.dra_driver.component import DraDriver, DraDriverArgs

__all__ = ["DraDriver", "DraDriverArgs"]
