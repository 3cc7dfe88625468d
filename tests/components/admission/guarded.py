"""Evaluation of a native policy without an API server: the text that it evaluates, over one request."""

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
