"""Good resources, and what one field of each makes of them: `mutations/*.yaml`, by control.

The verdict comes from how a case is made, never from a control: the good resource passes, as it does with a
field changed that the control is not about (`near`), and each of `bad` is refused. What no net refuses, and
the control names so, is below `unseen`. Nothing here reads rules or cases of the controls.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from corral.controls.control import Resource, Verdict

FOLDER = Path(__file__).parent / "mutations"
TODAY = "@today"
SUBJECT = "subject"
"""Stands for the URN of the resource that a case is about."""
_ABOUT = (
    "type",
    "name",
    "provider",
    "provider_name",
    "protect",
    "ignore_changes",
    "refers",
    "others",
    "props",
)


class _Loader(yaml.SafeLoader):
    """YAML with `!json`: a value as JSON text."""


_Loader.add_constructor("!json", lambda loader, node: json.dumps(loader.construct_mapping(node, deep=True)))


@dataclass(frozen=True)
class Mutated:
    """A resource with the verdict that it must get."""

    control: str
    title: str
    verdict: Verdict
    profile: str
    subject: Mapping[str, Any]
    """A Kubernetes object, or a resource's `type`, `props`, `others` and the like."""
    changed: tuple[str, ...] = ()
    """The path of what differs from the good resource; none for itself."""
    stores: tuple[str, ...] | None = None
    fixed: bool = False
    """Whether its containers are where they must be, so that they are not moved."""
    unseen: str = ""
    """Words of `not_enforced` of the control by which no net refuses it; none: every net does."""
    good: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What it was made of."""

    @property
    def object(self) -> bool:
        """Whether it is a Kubernetes object by itself."""
        return "kind" in self.subject


@cache
def _read() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    found: dict[str, Sequence[Mapping[str, Any]]] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        entries = yaml.load(file.read_text(), _Loader)
        assert not found.keys() & entries.keys(), file
        found |= entries
    return found


def controls() -> list[str]:
    """IDs of the controls with mutations."""
    return sorted(_read())


def mutations(control: str) -> Iterator[Mutated]:
    """Every resource that concerns `control`, good and bad."""
    for index, entry in enumerate(_read()[control]):
        good = _dated(entry.get("object") or {**entry["good"], **_provided(entry)})
        shared: dict[str, Any] = {
            "control": control,
            "profile": entry.get("profile", "eu-resident"),
            "stores": tuple(entry["stores"]) if "stores" in entry else None,
            "fixed": entry.get("fixed", False),
            "good": good,
        }
        own = good.get("kind") or good["type"]
        yield Mutated(title=f"{own} {index}", verdict=Verdict.GOOD, subject=good, **shared)
        groups = [(Verdict.GOOD, "", entry.get("near", {})), (Verdict.BAD, "", entry.get("bad", {}))]
        groups += [(Verdict.BAD, reason, several) for reason, several in entry.get("unseen", {}).items()]
        for verdict, unseen, several in groups:
            for title, (path, *values) in several.items():
                for value in values:
                    yield Mutated(
                        title=f"{own} {index}, {title} ({str(value)[:60]})",
                        verdict=verdict,
                        subject=changed(good, path.split(" "), _dated(value)),
                        changed=tuple(path.split(" ")),
                        unseen=unseen,
                        **shared,
                    )


def _provided(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"provider": entry["provider"]} if "provider" in entry else {}


def _dated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_dated(item) for item in value]
    return f"{datetime.now(UTC):%Y-%m-%d}" if value == TODAY else value


def changed(good: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """`good` with `value` at `path`; None takes it away. Text of JSON on the way is changed within."""
    made = deepcopy(dict(good))
    if "kind" in good:
        return _set(made, list(path), value)
    head, *rest = path
    whole = [head[1:], *rest] if head.startswith("@") else ["props", head, *rest]
    assert whole[0] in _ABOUT, whole
    return _set(made, whole, value)


def _set(holder: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    if isinstance(holder, str):
        return json.dumps(_set(json.loads(holder), path, value))
    key, *rest = path
    if isinstance(holder, list):
        place = int(key)
        inner = holder[place] if place < len(holder) else {}
        holder[place : place + 1] = [_set(inner, rest, value)]
        return holder
    if not rest and value is None:
        holder.pop(key, None)
    else:
        holder[key] = _set(holder.get(key, {}), rest, value)
    return holder


def resources(subject: Mapping[str, Any]) -> tuple[Resource, list[Resource]]:
    """The resource that a case is about, and the rest of its stack."""
    first = _resource({key: value for key, value in subject.items() if key != "others"}, "")
    return first, [_resource(one, first.urn) for one in subject.get("others", ())]


def _resource(fields: Mapping[str, Any], subject: str) -> Resource:
    name = fields.get("name", "x")
    urn = f"urn:pulumi:s::p::{fields['type']}::{name}"
    refers = {
        key: tuple(subject if one == SUBJECT else one for one in several)
        for key, several in fields.get("refers", {}).items()
    }
    provider = fields.get("provider", {})
    return Resource(
        fields["type"],
        name,
        fields.get("props") or {},
        urn=urn,
        provider=provider,
        provider_name=fields.get("provider_name", "own"),
        ignore_changes=tuple(fields.get("ignore_changes", ())),
        refers=refers,
        protect=fields.get("protect", False),
    )
