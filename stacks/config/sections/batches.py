"""What models answer on a schedule: `batches`."""

from typing import Annotated

from pydantic import Field

from corral.stacks.config.schedules import ObjectPrefix, Schedule, TimeZone
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import Name, Positive, Seconds


class BatchSection(Section):
    """Files of requests that a model answers at certain times, in the format of OpenAI's Batch API."""

    name: Name = Field(max_length=30)
    """Name of the batch and of its CronJob."""
    model: Name
    """Model or adapter that answers, or a canary as `MODEL-canary`; the batch belongs to its tenant."""
    schedule: Schedule
    """When, as CronJobs have it, such as `30 2 * * MON-FRI`."""
    time_zone: TimeZone = "Etc/UTC"
    """Time zone of the schedule."""
    input: ObjectPrefix | None = None
    """Prefix of its files, `*.jsonl`, below the tenant's in bucket `batches`; `NAME/input` when absent."""
    output: ObjectPrefix | None = None
    """Prefix of the answers there; `NAME/output` when absent."""
    per_revision: Annotated[bool, Field(strict=True)] = False
    """Whether each revision of the model answers all files again, below `OUTPUT/REVISION`: an evaluation."""
    concurrency: Positive | None = None
    """Requests at a time; half of the model's `max-num-seqs` when absent: the rest is callers'."""
    deadline: Seconds = 14400
    """Seconds in which lines are asked; those left then are in the error file as `batch_expired`."""
