"""Changes that a preview announces, object by object and property by property, from Pulumi's event log."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from corral.embedded.engine.drift import Difference
from corral.embedded.engine.events import STACK, Event
from corral.embedded.kube import Object
from corral.embedded.objects import child, title

LATER = "(known after the update)"
UNKNOWN = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""What stands for a value that a preview does not know: sdk/go/common/resource/plugin/rpc.go of Pulumi."""
OPERATIONS = frozenset({"create", "update", "replace", "delete", "import"})
CHANGED, MISSING = "update", "delete"
ABSENT = object()
BOOKKEEPING = frozenset({"__defaults", "__internal", "__inputs"})


@dataclass(frozen=True)
class PropertyChange:
    """One property that differs."""

    path: str
    """Such as `spec.replicas` or `rules[0].verbs`."""
    old: Any
    """None: it was not there. Secret values are `[secret]`."""
    new: Any
    """None: it is gone."""


@dataclass(frozen=True)
class Change:
    """One object that is to change, or that was changed."""

    operation: str
    """`create`, `update`, `replace`, `delete` or `import`; of drift `update` or `delete`."""
    type: str
    """Pulumi's token of the type, such as `kubernetes:apps/v1:Deployment`."""
    object: str
    """What its provider calls it, such as `vector-db/vector-db-exporter`."""
    urn: str
    """Empty for an object that a Helm release made."""
    properties: tuple[PropertyChange, ...] = ()
    """Empty where the whole object is made or goes."""

    @property
    def title(self) -> str:
        """Such as `Deployment vector-db/vector-db-exporter`."""
        return f"{self.type.rpartition(':')[2].rpartition('/')[2]} {self.object}"


@dataclass
class Collector:
    """The changes of one preview, by the events that it hands on."""

    _changes: dict[str, Change] = field(default_factory=dict[str, Change])
    _outputs: Change | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was announced, in its order; the outputs of the stack last."""
        return (*self._changes.values(), *([self._outputs] if self._outputs else []))

    def handle(self, event: Event) -> None:
        """Take one line of the event log."""
        step = child(event, "resOutputsEvent", "metadata")
        if not step:
            return
        operation, urn, kind = str(step["op"]), str(step["urn"]), str(step["type"])
        old, new = child(step, "old"), child(step, "new")
        if kind == STACK:
            properties = tuple(compared(child(old, "outputs"), child(new, "outputs")))
            self._outputs = Change("update", kind, "outputs", urn, properties) if properties else None
        elif operation in OPERATIONS and (new or old).get("custom"):
            self._changes[urn] = Change(operation, kind, _object(old, new, urn), urn, _properties(step))


def of_releases(differences: Iterable[Difference]) -> Iterator[Change]:
    """Changes by hand of what Helm releases made."""
    for one in differences:
        stated = one.stated
        if stated.release is None:
            continue
        kind = f"kubernetes:{stated.api_version}:{stated.kind}"
        name = "/".join(part for part in (stated.namespace, stated.name) if part)
        if one.replicas is None:
            yield Change(MISSING, kind, name, "")
        else:
            scaled = PropertyChange("spec.replicas", stated.replicas, one.replicas)
            yield Change(CHANGED, kind, name, "", (scaled,))


def _object(old: Object, new: Object, urn: str) -> str:
    named = title(child(new or old, "inputs"))
    return str(old.get("id") or new.get("id") or named or urn.rpartition("::")[2])


def _properties(step: Event) -> tuple[PropertyChange, ...]:
    """What differs of an object that is there before and after.

    A provider says which properties differ; inputs have them, or only what it read of the object. One that is
    secret shows the same text before and after.
    """
    old, new = child(step, "old"), child(step, "new")
    if not old or not new:
        return ()
    named = {_top(one) for one in (*(step.get("diffs") or ()), *child(step, "detailedDiff"))}
    inputs, outputs = (
        [one for one in compared(child(old, part), child(new, part)) if not named or _top(one.path) in named]
        for part in ("inputs", "outputs")
    )
    found = inputs or outputs
    before, after = child(old, "inputs"), child(new, "inputs")
    masked = sorted((named - {_top(one.path) for one in found}) & before.keys() & after.keys())
    return (*found, *(PropertyChange(one, _shown(before[one]), _shown(after[one])) for one in masked))


def _top(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def compared(old: object, new: object, path: str = "") -> Iterator[PropertyChange]:
    """The innermost properties in which two values differ."""
    before, after, indexed = _parts(old), _parts(new), isinstance(old, list)
    if before is None or after is None or (before.keys() != after.keys() and indexed):
        if old != new:
            yield PropertyChange(path, _shown(old), _shown(new))
        return
    for key in dict.fromkeys([*before, *after]):
        inner = f"{path}[{key}]" if indexed else f"{path}.{key}" if path else str(key)
        yield from compared(before.get(key, ABSENT), after.get(key, ABSENT), inner)


def _parts(value: object) -> Mapping[str | int, object] | None:
    """What is inside of a value, by key or index; None: nothing is."""
    if isinstance(value, Mapping):
        known = cast(Mapping[str, object], value)
        return {key: one for key, one in known.items() if key not in BOOKKEEPING}
    if isinstance(value, list):
        return dict(enumerate(cast(list[object], value)))
    return None


def _shown(value: object) -> Any:
    if value is ABSENT:
        return None
    if isinstance(value, Mapping):
        return {key: _shown(one) for key, one in cast(Mapping[str, object], value).items()}
    if isinstance(value, list):
        return [_shown(one) for one in cast(list[object], value)]
    return LATER if isinstance(value, str) and value in UNKNOWN else value
