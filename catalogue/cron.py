"""Schedules of CronJobs: five fields, as Kubernetes' parser takes them (robfig/cron, ParseStandard)."""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAP_YEAR = 2024


@dataclass(frozen=True)
class Field:
    """One field of a schedule."""

    name: str
    least: int
    most: int
    words: Sequence[str] = ()
    """Names of its values, from the least on."""


MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, DAYS),
)
MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
EXAMPLE = "five fields, such as 30 2 * * MON-FRI"


def problem(schedule: str) -> str | None:
    """What a schedule should be instead; None: it is one.

    >>> problem("30 2 * * MON-FRI") is None
    True
    >>> problem("61 2 * * *")
    'minute 61: use 0 to 59'
    """
    if schedule in MACROS:
        return None
    fields = schedule.split()
    if len(fields) != len(FIELDS):
        return f"use {EXAMPLE}, or one of {', '.join(MACROS)}"
    values: dict[str, frozenset[int]] = {}
    for field, text in zip(FIELDS, fields, strict=True):
        known = _values(field, text)
        if known is None:
            return f"{field.name} {text}: use {field.least} to {field.most}"
        values[field.name] = known
    return _never(values, any_weekday=fields[-1].startswith(("*", "?")))


def _values(field: Field, text: str) -> frozenset[int] | None:
    """The values that a field's text stands for; None: it is none."""
    result: set[int] = set()
    for item in text.split(","):
        span, stepped, step = item.partition("/")
        if stepped and not re.fullmatch("[1-9][0-9]{0,2}", step):
            return None
        first, ranged, last = span.partition("-")
        if span in ("*", "?"):
            start, end = field.least, field.most
        else:
            begin, finish = _number(field, first), _number(field, last if ranged else first)
            if begin is None or finish is None or begin > finish:
                return None
            start, end = begin, field.most if stepped and not ranged else finish
        result.update(range(start, end + 1, int(step or 1)))
    return frozenset(result)


def _number(field: Field, text: str) -> int | None:
    if text.upper() in field.words:
        return field.least + field.words.index(text.upper())
    if not re.fullmatch("[0-9]{1,2}", text) or not field.least <= int(text) <= field.most:
        return None
    return int(text)


def _never(values: Mapping[str, frozenset[int]], *, any_weekday: bool) -> str | None:
    """A day that no month of the schedule has, which a day of the week would make up for."""
    longest = max(monthrange(LEAP_YEAR, month)[1] for month in values["month"])
    if any_weekday and min(values["day of the month"]) > longest:
        return f"none of its months has a day {min(values['day of the month'])}: use a day that comes"
    return None
