"""Waiting for several asyncio tasks."""

import asyncio
import logging
from typing import Any, cast

log = logging.getLogger("corral.node")


async def first_of(*tasks: "asyncio.Task[Any]") -> None:
    """Wait for the first to end; raises what it raised."""
    done, _pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def cancel(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks and wait for their end; what they raise then is logged."""
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            log.error("failed while it was cancelled", exc_info=result)


def first_cause(cause: BaseException) -> BaseException:
    """The first exception in nested groups."""
    if isinstance(cause, BaseExceptionGroup):
        return first_cause(cast("BaseExceptionGroup[BaseException]", cause).exceptions[0])
    return cause
