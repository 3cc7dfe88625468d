"""Policies in the admission path."""

from corral.components.kyverno.component import Kyverno, KyvernoArgs

__all__ = ["Kyverno", "KyvernoArgs"]
