"""Certificates for webhooks and services."""

from corral.components.cert_manager.component import CertManager, CertManagerArgs

__all__ = ["CertManager", "CertManagerArgs"]
