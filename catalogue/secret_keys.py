"""Keys of secrets that belong to no addon."""

REGISTRY_AUTH = "registry-auth"
"""The mirror's credentials, which nobody but its owner can make."""

ALERTS_URL = "alerts-url"
"""The address that alerts are sent to."""
