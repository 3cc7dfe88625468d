"""Secrets that a store outside the cluster keeps."""

from corral.components.external_secrets.component import ExternalSecrets, ExternalSecretsArgs

__all__ = ["ExternalSecrets", "ExternalSecretsArgs"]
