"""How grave a violation is, and what it does to a deployment."""

from enum import StrEnum, unique


@unique
class Severity(StrEnum):
    """How grave a violation is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@unique
class Level(StrEnum):
    """Enforcement level: what a violation does."""

    MANDATORY = "mandatory"
    """It stops the deployment."""
    ADVISORY = "advisory"
    """It is reported."""
    DISABLED = "disabled"
    """Nothing: the profile does not demand it."""
