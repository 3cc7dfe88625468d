"""A profile as a stack adjusts it: single controls enforced harder, others excepted for a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

from corral.catalogue.formats import RESOURCE_NAME
from corral.controls.control import Control, ObjectRule
from corral.controls.enforcement import level
from corral.controls.exceptions import LEAST_REASON, MOST_DAYS, ControlException, parse_exceptions
from corral.controls.kinds import BY_TOKEN
from corral.controls.levels import Level
from corral.controls.profiles import Profile
from corral.controls.register import CONTROLS

_BY_ID = {one.id: one for one in CONTROLS}
_WEIGHT = {Level.DISABLED: 0, Level.ADVISORY: 1, Level.MANDATORY: 2}


@dataclass(frozen=True)
class Refusal:
    """An adjustment that the profile does not take."""

    path: str
    """Key below `sovereignty`."""
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"sovereignty.{self.path}: {self.value}: {self.allowed}"


def enforced(constraints: Profile, levels: Mapping[str, Level]) -> Profile:
    """`constraints` with `levels` by ID in place of its own."""
    return replace(constraints, overrides={**constraints.overrides, **levels})


def refusals(
    constraints: Profile,
    levels: Mapping[str, Level],
    exceptions: Sequence[ControlException],
    day: date,
) -> Iterator[Refusal]:
    """Why profile `constraints` does not take these adjustments on `day`; nothing where it does."""
    for identity, chosen in levels.items():
        if (reason := _loosens(identity, chosen, constraints)) is not None:
            yield Refusal(f"controls.{identity}", chosen.value, reason)
    harder = enforced(constraints, {key: one for key, one in levels.items() if key in _BY_ID})
    for index, one in enumerate(exceptions):
        for key, value, reason in _wrong(one, harder, day):
            yield Refusal(f"exceptions[{index}].{key}", value, reason)


def _loosens(identity: str, chosen: Level, constraints: Profile) -> str | None:
    if identity not in _BY_ID:
        return "no such control: use an ID of docs/controls.md"
    own = level(_BY_ID[identity], constraints)
    if _WEIGHT[chosen] < _WEIGHT[own]:
        stated = f"looser than profile {constraints.name}, which has {own.value}"
        return f"{stated}: leave it out, or add an entry to sovereignty.exceptions"
    return None


def _wrong(one: ControlException, constraints: Profile, day: date) -> Iterator[tuple[str, str, str]]:
    control = _BY_ID.get(one.control)
    if control is None:
        yield "control", one.control, "no such control: use an ID of docs/controls.md"
    elif one.control in constraints.unexceptable:
        reason = f"profile {constraints.name} stands by it: mend what it stops, or choose another profile"
        yield "control", one.control, reason
    elif (own := level(control, constraints)) is not Level.MANDATORY:
        word = "only reports" if own is Level.ADVISORY else "does not demand"
        yield "control", one.control, f"profile {constraints.name} {word} it: leave the exception out"
    else:
        yield from _misnamed(one.resources, control)
    if len(one.reason.strip()) < LEAST_REASON or not one.reason.isprintable():
        reason = f"use a reason of {LEAST_REASON} characters or more, in one line"
        yield "reason", one.reason or "empty text", reason
    if not one.approver.strip() or not one.approver.isprintable():
        yield "approver", one.approver or "empty text", "name who approved it, in one line"
    left = one.days_left(day)
    if left < 0:
        days = "yesterday" if left == -1 else f"{-left} days ago"
        reason = f"expired {days}: remove the exception, or have it approved anew"
        yield "expires", str(one.expires), reason
    elif left > MOST_DAYS:
        reason = f"{left} days ahead: use a date within {MOST_DAYS} days of today"
        yield "expires", str(one.expires), reason


_BESIDE = ("kubernetes:core/v1:Node", "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute")
"""Objects beside those of `KINDS` that a rule about several resources can be about."""


def _misnamed(resources: Sequence[str], control: Control) -> Iterator[tuple[str, str, str]]:
    """Names by which no resource that `control` is about can go."""
    rule = control.rule
    of_objects = isinstance(rule, ObjectRule) or any(rule.applies(token) for token in (*BY_TOKEN, *_BESIDE))
    for number, name in enumerate(resources):
        if not RESOURCE_NAME.matches(name):
            yield f"resources[{number}]", name or "empty text", f"use {RESOURCE_NAME.words}"
        elif "/" in name and not of_objects:
            reason = f"{control.id} is about cloud resources: use the name of one in the program"
            yield f"resources[{number}]", name, reason


def adjusted(constraints: Profile, section: Mapping[str, Any], day: date) -> Profile:
    """`constraints` with what `controls` and `exceptions` of section `sovereignty` make of it on `day`.

    Raises:
        ValueError: the profile does not take one of them.
    """
    levels = _levels(section.get("controls", {}))
    exceptions = parse_exceptions(section.get("exceptions", []))
    for one in refusals(constraints, levels, exceptions, day):
        raise ValueError(str(one))
    return replace(enforced(constraints, levels), exceptions=exceptions)


def _levels(section: Any) -> Mapping[str, Level]:
    words = [one.value for one in Level]
    if not isinstance(section, Mapping):
        raise ValueError("sovereignty.controls: use a mapping of control to level")
    for identity, word in cast("Mapping[str, Any]", section).items():
        if word not in words:
            raise ValueError(f"sovereignty.controls.{identity}: {word}: use one of {', '.join(words)}")
    return {identity: Level(word) for identity, word in cast("Mapping[str, Any]", section).items()}
