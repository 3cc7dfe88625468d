"""Scaling of models by their requests, to none and back."""

from corral.components.keda.component import Keda, KedaArgs

__all__ = ["Keda", "KedaArgs"]
