"""What containers are told by their environment: Kyverno adds it to pods when they are made."""

from collections.abc import Sequence
from typing import Any

from corral.components.admission.render import OBJECT_NAME, pod_policy
from corral.controls.cel import text
from corral.controls.exceptions import ControlException
from corral.controls.scope import Scope

ON = "1"
"""Value of the variables; the libraries that read them take it for true."""
CONTAINERS = ("containers", "initContainers")


def forced(
    scope: Scope, names: Sequence[str], exceptions: Sequence[ControlException] = (), *, literal: bool = False
) -> dict[str, Any]:
    """Spec of the MutatingPolicy: every container of a pod in scope has the variables `names`, each `ON`.

    A variable in `env` wins over one of `envFrom`. What a container states stays, for its control to
    refuse where it states another value: who wrote the workload learns of it. With `literal` only a
    literal value counts as stated; one from a ConfigMap or Secret, which no policy sees, is replaced.
    """
    patches = (_patches(field, literal=literal) for field in CONTAINERS)
    return {
        **pod_policy(scope.selector(), {"names": text(list(names))}, *patches),
        **({"matchConditions": _not_excepted(exceptions)} if exceptions else {}),
    }


def _patches(field: str, *, literal: bool) -> str:
    """CEL: a patch of `env` for each container of `field` that lacks a variable."""
    several = f"object.spec.?{field}.orValue([])"
    one = f"object.spec.{field}[i]"
    states = "e.name == n && has(e.value)" if literal else "e.name == n"
    kept = f"{one}.?env.orValue([])"
    if literal:
        kept += ".filter(e, has(e.value) || !(e.name in variables.names))"
    missing = f"variables.names.filter(n, !{one}.?env.orValue([]).exists(e, {states}))"
    added = f'.map(n, dyn({{"name": n, "value": {text(ON)}}}))'
    return (
        f"lists.range(size({several})).filter(i, size({missing}) > 0).map(i, "
        f'JSONPatch{{op: "add", path: "/spec/{field}/" + string(i) + "/env", '
        f"value: {kept} + {missing}{added}}})"
    )


def _not_excepted(exceptions: Sequence[ControlException]) -> list[dict[str, str]]:
    """Conditions under which no exception is for a pod; it has no time of creation yet."""
    return [
        {
            "name": f"not-excepted-{index}",
            "expression": f"time.now() >= timestamp({text(one.end)})"
            + (f" || !({OBJECT_NAME}).matches({text(one.pattern)})" if one.resources else ""),
        }
        for index, one in enumerate(exceptions)
    ]
