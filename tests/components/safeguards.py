"""What the pack stops of a component's resources, and the resources without a safeguard."""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from corral.controls.control import ObjectRule, Resource
from corral.controls.enforcement import stops
from corral.controls.evaluate import applies, evaluate_resource
from corral.controls.profiles import profile
from corral.controls.register import CONTROLS

Change = Callable[[dict[str, Any]], Any]


def stopped(subjects: Sequence[Resource], name: str, region: str) -> set[tuple[str, str]]:
    """Control and resource of each violation that stops an update under profile `name` in `region`."""
    constraints = profile(name, region=region)
    chosen = [one for one in CONTROLS if not isinstance(one.rule, ObjectRule) and stops(one, constraints)]
    return {
        (control.id, one.name)
        for control in chosen
        for one in subjects
        if applies(control, one.type) and evaluate_resource(control, one, subjects, constraints)
    }


def changed(resources: Iterable[Resource], kind: str, change: Change | None) -> tuple[Resource, ...]:
    """`resources` with `change` applied to the inputs of those of `kind`, or without those for None."""
    before, made = tuple(resources), list[Resource]()
    for one in before:
        props = copy.deepcopy(dict(one.props))
        if one.type.endswith(f":{kind}"):
            if change is None:
                continue
            change(props)
        made.append(replace(one, props=props))
    assert [one.props for one in made] != [one.props for one in before], "nothing was taken away"
    return tuple(made)


def setting(path: str, value: Any) -> Change:
    """Sets what is at `path`, whose parts are keys and indexes."""

    def change(props: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        holder: Any = props
        for one in parents:
            holder = holder[int(one)] if isinstance(holder, list) else holder[one]
        holder[last] = value

    return change


def without(path: str) -> Change:
    """Sets what is at `path` to nothing."""
    return setting(path, None)
