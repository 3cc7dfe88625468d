"""Files of requests that models answer on a schedule."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BatchPlan:
    """A CronJob that has a model answer files of requests."""

    name: str
    tenant: str
    namespace: str
    model: str
    """Model or canary that answers, by the name of its InferenceService."""
    asked_for: str
    """Name that requests have for it."""
    schedule: str
    time_zone: str
    bucket: str
    input: str
    """Key prefix of the requests, the tenant's in front."""
    output: str
    """Key prefix of the answers, likewise."""
    revision: str | None
    """Of the model, behind the prefix of the answers where each revision answers anew; None: none does."""
    concurrency: int
    """Requests at a time."""
    deadline: int
    """Seconds in which lines are asked."""
