"""Evaluation of policies without an API server: the text that they evaluate, over one request."""

import copy
import re
from functools import cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

ENVIRONMENT = cel.NewEnv(
    variables=dict.fromkeys(("object", "oldObject", "variables", "request", "namespaceObject"), cel.Type.DYN),
    extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings()],
)
AUTHORIZER = "authorizer."
compiled = cache(ENVIRONMENT.compile)
"""A compiled expression; policies share most of theirs."""


def refusals(
    policy: Any,
    new: dict[str, Any] | None,
    old: dict[str, Any] | None = None,
    *,
    user: str = "jane",
    administrator: bool = False,
    namespace: dict[str, str] | None = None,
) -> list[str]:
    """Messages of the validations of `policy` that do not hold; `namespace`: labels of the object's own."""
    data: dict[str, Any] = {
        "object": new,
        "oldObject": old,
        "request": {"userInfo": {"username": user}},
        "namespaceObject": {"metadata": {"labels": namespace or {}}},
        "variables": {},
    }

    def value(text: str) -> Any:
        asked = text.find(AUTHORIZER)
        if asked >= 0:
            end = text.index(".allowed()", asked) + len(".allowed()")
            text = text[:asked] + str(administrator).lower() + text[end:]
        result = compiled(text).eval(data=data)
        assert result.type() != cel.Type.ERROR, (text, result.plain_value())
        return result.plain_value()

    for one in policy["variables"]:
        data["variables"][one["name"]] = value(one["expression"])
    return [one["message"] for one in policy["validations"] if not value(one["expression"])]


RANGE = re.compile(r"lists\.range\((size\(.*?\[\]\)\))\)")
"""Of Kyverno's library, which this evaluator lacks; here of at most as many as `MOST`."""
MOST = 20


def patched(policy: Any, subject: dict[str, Any], *, replaces: bool = False) -> dict[str, Any]:
    """`subject` with the patches of a MutatingPolicy; `replaces`: whether they may replace what is there."""
    made = copy.deepcopy(subject)
    for mutation in policy["mutations"]:
        data: dict[str, Any] = {"object": made, "variables": {}}
        for one in policy["variables"]:
            data["variables"][one["name"]] = _value(one["expression"], data)
        for patch in _value(_maps(mutation["jsonPatch"]["expression"]), data):
            holder: Any = made
            *way, last = patch["path"].strip("/").split("/")
            for part in way:
                holder = holder[int(part)] if isinstance(holder, list) else holder[part]
            if last == "-":
                holder.append(patch["value"])
            else:
                assert replaces or last not in holder, "what is there stays"
                holder[last] = patch["value"]
    return made


def _maps(text: str) -> str:
    """`text` with maps in place of Kyverno's type of patches, and ranges as lists."""
    text = RANGE.sub(rf"{[*range(MOST)]}.filter(x, x < \1)", text)
    text = text.replace("JSONPatch{op:", '{"op":')
    return text.replace(" path:", ' "path":').replace(" value:", ' "value":')


def _value(text: str, data: dict[str, Any]) -> Any:
    result = compiled(text).eval(data=data)
    assert result.type() != cel.Type.ERROR, (text, result.plain_value())
    return result.plain_value()
