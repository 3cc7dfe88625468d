"""What models answer on a schedule, in lines and rows."""

from collections.abc import Iterator

from corral.stacks.planning.results.plan import Plan

HEADINGS = ("batch", "model", "schedule", "time zone", "input", "output", "at a time", "deadline, s")


def batch_rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    """A row per batch."""
    for one in plan.batches:
        places = (f"s3://{one.bucket}/{prefix}" for prefix in (one.input, one.output))
        numbers = (str(one.concurrency), str(one.deadline))
        yield (one.name, one.model, one.schedule, one.time_zone, *places, *numbers)


def batch_notes(plan: Plan) -> Iterator[str]:
    """What holds for all of them."""
    if plan.batches:
        yield (
            "batches call their model beside the gateway, whose limits do not count them; each tenant's key "
            "opens its own prefix alone"
        )
