"""Values of `batches`: schedules, time zones and prefixes of objects."""

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from corral.catalogue.cron import problem
from corral.catalogue.formats import OBJECT_PREFIX, TIME_ZONE


def _schedule(value: str) -> str:
    wrong = problem(value)
    if wrong is not None:
        raise PydanticCustomError("schedule", "{wrong}", {"wrong": wrong})
    return value


def _zone(value: str) -> str:
    known = available_timezones()
    if not TIME_ZONE.matches(value) or (known and value not in known):
        raise PydanticCustomError("time_zone", "{wrong}", {"wrong": f"use {TIME_ZONE.words}"})
    return value


def _prefix(value: str) -> str:
    if not OBJECT_PREFIX.matches(value):
        raise PydanticCustomError("prefix", "{wrong}", {"wrong": f"use {OBJECT_PREFIX.words}"})
    return value


Schedule = Annotated[str, AfterValidator(_schedule), WithJsonSchema({"type": "string", "minLength": 6})]
"""A schedule of a CronJob."""
TimeZone = Annotated[
    str,
    AfterValidator(_zone),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{TIME_ZONE.pattern})$"}),
]
"""A time zone of IANA's database."""
ObjectPrefix = Annotated[
    str,
    AfterValidator(_prefix),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{OBJECT_PREFIX.pattern})$"}),
]
"""Beginning of the keys of objects."""
