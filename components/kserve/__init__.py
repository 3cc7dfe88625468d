"""Model serving."""

from corral.components.kserve.component import KServe, KServeArgs

__all__ = ["KServe", "KServeArgs"]
