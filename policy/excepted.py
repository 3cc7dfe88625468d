"""What the exceptions of a stack make of a violation: advice, with who approved it and until when."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast

from corral.controls.control import UNKNOWN, Control, Resource, Undecided
from corral.controls.enforcement import exceptions_of
from corral.controls.kinds import KINDS
from corral.controls.profiles import Profile

DEFAULT_NAMESPACE = "default"


def exception_note(control: Control, name: str | None, constraints: Profile, day: date) -> str | None:
    """The words of the exception from `control` for the resource called `name`; None: there is none.

    Raises:
        Undecided: `name` is not known yet, None, and some names are excepted.
    """
    for one in exceptions_of(control, constraints):
        if one.resources and name is None:
            raise Undecided(f"whether it is one of {', '.join(one.resources)}, which are excepted")
        if not one.resources or (name is not None and one.covers(name)):
            soon = f"; ends in {one.days_left(day)} days" if one.ends_soon(day) else ""
            return f"{one.note}{soon}"
    return None


def object_name(known: Mapping[str, Any], subject: Resource) -> str | None:
    """`NAMESPACE/NAME` of an object in `subject`, or `NAME` outside namespaces; None: not known yet."""
    metadata = cast("Mapping[str, Any]", known.get("metadata") or {})
    kind = KINDS.get(str(known.get("kind")))
    name = metadata.get("name")
    if name is None or (kind is not None and not kind.namespaced):
        return name
    namespace = metadata.get("namespace")
    if namespace is None:
        stated = subject.props.get("metadata")
        own = cast("Mapping[str, Any]", stated).get("namespace") if isinstance(stated, Mapping) else stated
        namespace = own or subject.props.get("namespace") or subject.provider.get("namespace")
    return None if namespace is UNKNOWN else f"{namespace or DEFAULT_NAMESPACE}/{name}"


def resource_name(subject: Resource) -> str | None:
    """What exceptions call a resource: an object of Kubernetes as `object_name` does, where it says its name,
    another by its name in the program; None: not known yet."""
    metadata = subject.props.get("metadata")
    if not subject.type.startswith("kubernetes:") or metadata is None:
        return subject.name
    if not isinstance(metadata, Mapping):
        return None
    stated = cast("Mapping[str, Any]", metadata)
    if stated.get("name") is None:
        return subject.name
    kind = subject.type.rpartition(":")[2].removesuffix("Patch")
    return None if UNKNOWN in stated.values() else object_name({"kind": kind, "metadata": stated}, subject)


class Exempting:
    """Reports violations, and keeps apart those that an exception is for."""

    def __init__(self, constraints: Profile, day: date, pending: dict[str, list[str]]) -> None:
        self._constraints = constraints
        self._day = day
        self._pending = pending
        self.lines: dict[str, list[str]] = defaultdict(list)
        """URN -> violations that do not stop."""

    def report(
        self, control: Control, line: str, urn: str, name: str | None, report: Callable[[str], None]
    ) -> None:
        """Report the violation `line` of the resource called `name`, or keep it with its exception."""
        try:
            note = exception_note(control, name, self._constraints, self._day)
        except Undecided as reason:
            self._pending[urn].append(f"{line} It cannot be decided in preview {reason}")
            return
        if note is None:
            report(line)
        else:
            self.lines[urn].append(f"{line} {note[0].upper()}{note[1:]}")
