"""Exceptions from controls: one control, a reason, who approved it, and the last day on which it holds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

MOST_DAYS = 90
"""Days ahead of the plan at which an exception ends at the latest."""
SOON_DAYS = 14
"""Days before its end from which on an exception is a warning."""
LEAST_REASON = 10
"""Characters below which a reason is none."""
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T00:00:00Z| 00:00:00 \+0000 UTC)?")
"""A date, and what Pulumi (3.259) and JSON make of one without quotes."""
_KEYS = ("control", "reason", "approver", "expires", "resources")


def today() -> date:
    """The date in UTC, by which exceptions end."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class ControlException:
    """A control that does not stop what it names, for a time."""

    control: str
    reason: str
    approver: str
    expires: date
    """Last day on which it holds, in UTC."""
    resources: tuple[str, ...] = ()
    """What it is for: `NAMESPACE/NAME` of an object, `NAME` of one outside namespaces or of a cloud resource
    in the program; `*` stands for any part of a name. Empty: all."""

    @property
    def pattern(self) -> str:
        """Regular expression (RE2) of the names that it is for."""
        names = "|".join("[^/]*".join(map(re.escape, one.split("*"))) for one in self.resources)
        return f"^({names})$".replace(r"\-", "-") if names else "^.*$"

    def covers(self, name: str) -> bool:
        """Whether it is for the resource called `name`."""
        return re.fullmatch(self.pattern, name) is not None

    def days_left(self, day: date) -> int:
        """Days after `day` on which it holds."""
        return (self.expires - day).days

    def ends_soon(self, day: date) -> bool:
        """Whether it is time to mend what it is for."""
        return self.days_left(day) <= SOON_DAYS

    @property
    def end(self) -> str:
        """The moment at which it has ended, as RFC 3339."""
        return f"{self.expires + timedelta(days=1)}T00:00:00Z"

    @property
    def note(self) -> str:
        """Until when, by whom and why, in words."""
        return f"excepted until {self.expires} by {self.approver}: {self.reason}"


def parse_day(value: object) -> date | None:
    """The date that `value` is, as YAML and Pulumi have it; None: it is none."""
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date() if midnight else None
    if isinstance(value, date):
        return value
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def parse_exceptions(section: Any) -> tuple[ControlException, ...]:
    """What `sovereignty.exceptions` of a stack's configuration has.

    Raises:
        ValueError: an entry lacks a key, has one too many, or a value of another type.
    """
    path = "sovereignty.exceptions"
    if not isinstance(section, list):
        raise ValueError(f"{path}: use a list of mappings with {', '.join(_KEYS)}")
    return tuple(_parsed(one, f"{path}[{index}]") for index, one in enumerate(cast("list[Any]", section)))


def _parsed(entry: Any, path: str) -> ControlException:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{path}: use a mapping of {', '.join(_KEYS)}")
    fields = cast("Mapping[str, Any]", entry)
    for key in fields:
        if key not in _KEYS:
            raise ValueError(f"{path}.{key}: unknown key: use one of {', '.join(_KEYS)}")
    for key in _KEYS[:3]:
        if not isinstance(fields.get(key), str):
            raise ValueError(f"{path}.{key}: {fields.get(key, 'missing')}: use text")
    resources = fields.get("resources", [])
    if not isinstance(resources, list) or not all(
        isinstance(one, str) for one in cast("list[Any]", resources)
    ):
        raise ValueError(f"{path}.resources: use a list of names")
    expires = parse_day(fields.get("expires"))
    if expires is None:
        raise ValueError(f"{path}.expires: {fields.get('expires', 'missing')}: use a date as YYYY-MM-DD")
    return ControlException(
        fields["control"],
        fields["reason"],
        fields["approver"],
        expires,
        tuple(cast("Sequence[str]", resources)),
    )
