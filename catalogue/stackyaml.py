"""Stack files as Pulumi reads them: `off`, `no` and `12:30` are text, true and false alone are booleans."""

import re
from typing import Any

import yaml

BOOLEAN, INTEGER, FLOAT, SET = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "set"))
SIXTIES = re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$")
"""What YAML 1.1 reads as a number of base 60."""
EXPONENT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")
"""Numbers of YAML 1.2 that YAML 1.1 reads as text."""
OCTAL = re.compile(r"^[-+]?0o[0-7]+$")
"""Numbers of base 8 of YAML 1.2."""
LONGEST = 400
"""Digits of a number."""
EXACT = 1 << 53
"""Below it every whole number is a float exactly."""


def _text(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


def _number(tag: str) -> Any:
    usual: Any = yaml.SafeLoader.yaml_constructors[tag]

    def construct(loader: Any, node: Any) -> Any:
        if SIXTIES.match(node.value):
            return _text(loader, node)
        if OCTAL.match(node.value):
            return int(node.value.replace("o", ""), 8)
        if len(node.value) > LONGEST:
            raise yaml.constructor.ConstructorError(
                None, None, "a number of too many digits", node.start_mark
            )
        number = usual(loader, node)
        # Pulumi passes settings on as JSON, where 5e+06 and 5000000.0 are 5000000.
        whole = isinstance(number, float) and number.is_integer() and abs(number) < EXACT
        return int(number) if whole else number

    return construct


def _boolean(loader: Any, node: Any) -> Any:
    return {"true": True, "false": False}.get(node.value.lower(), node.value)


StackLoader: Any = type("StackLoader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
"""YAML's safe loader with the plain values of YAML 1.2, which is what Pulumi's reader goes by."""
StackLoader.add_constructor(BOOLEAN, _boolean)
StackLoader.add_implicit_resolver(FLOAT, EXPONENT, list("-+.0123456789"))
StackLoader.add_implicit_resolver(INTEGER, OCTAL, list("-+0"))
StackLoader.add_constructor(SET, StackLoader.construct_yaml_map)
for tag in (INTEGER, FLOAT):
    StackLoader.add_constructor(tag, _number(tag))
