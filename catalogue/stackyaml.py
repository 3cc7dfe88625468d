"""Stack files as Pulumi reads them: `off`, `no` and `12:30` are text, true and false alone are booleans."""

import re
from typing import Any

import yaml

from corral.catalogue.yamls import LOADER

BOOLEAN, INTEGER, FLOAT, SET, TIMESTAMP, BINARY, VALUE, MERGE = (
    f"tag:yaml.org,2002:{name}"
    for name in ("bool", "int", "float", "set", "timestamp", "binary", "value", "merge")
)
SIXTIES = re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$")
"""What YAML 1.1 reads as a number of base 60."""
DECIMAL = re.compile(r"^[-+]?(\._*[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9][0-9_]*)?$")
"""Numbers of YAML 1.2 that YAML 1.1 reads as text: `5e+06`, `08`, `-.5`."""
PREFIXED = re.compile(r"^[-+]?0([oO][0-7_]*[0-7]_*|X[0-9a-fA-F_]*[0-9a-fA-F]_*|B[01_]*[01]_*)$")
"""Numbers of base 8 of YAML 1.2, and of other bases in capitals."""
SHORT_DATE = re.compile(r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$")
LONGEST = 400
"""Digits of a number."""
EXACT = 1 << 53
"""Below it every whole number is a float exactly."""


def _text(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


def _or_text(usual: Any, loader: Any, node: Any) -> Any:
    """What `usual` reads, or the text where it only looks so: `0x_`, `2026-13-45`.

    Raises:
        yaml.YAMLError: the file itself says that it is more than text.
    """
    try:
        return usual(loader, node)
    except (ValueError, AttributeError):
        if loader.resolve(yaml.ScalarNode, node.value, (True, False)) == node.tag:
            return _text(loader, node)
        kind = str(node.tag).rpartition(":")[2]
        reason = f"{node.value!r} is no {kind}, which its tag says"
        raise yaml.constructor.ConstructorError(None, None, reason, node.start_mark) from None


def _timestamp(loader: Any, node: Any) -> Any:
    return _or_text(yaml.SafeLoader.construct_yaml_timestamp, loader, node)


def _binary(loader: Any, node: Any) -> Any:
    found: bytes = yaml.SafeLoader.construct_yaml_binary(loader, node)
    try:
        return found.decode()
    except UnicodeDecodeError:
        raise yaml.constructor.ConstructorError(
            None, None, "binary that is no text", node.start_mark
        ) from None


def _number(tag: str) -> Any:
    usual: Any = yaml.SafeLoader.yaml_constructors[tag]

    def construct(loader: Any, node: Any) -> Any:
        if SIXTIES.match(node.value):
            return _text(loader, node)
        if PREFIXED.match(node.value):
            return int(node.value.replace("_", ""), 0)
        if len(node.value) > LONGEST:
            raise yaml.constructor.ConstructorError(
                None, None, "a number of too many digits", node.start_mark
            )
        if DECIMAL.match(node.value) and tag == FLOAT:
            number = float(node.value.replace("_", ""))
        else:
            number = _or_text(usual, loader, node)
        # Pulumi passes settings on as JSON, where 5e+06 and 5000000.0 are 5000000.
        whole = isinstance(number, float) and number.is_integer() and abs(number) < EXACT
        return int(number) if whole else number

    return construct


def _boolean(loader: Any, node: Any) -> Any:
    return {"true": True, "false": False}.get(node.value.lower(), node.value)


StackLoader: Any = type("StackLoader", (LOADER,), {})
"""YAML's safe loader with the plain values of YAML 1.2, which is what Pulumi's reader goes by."""
StackLoader.add_constructor(BOOLEAN, _boolean)
StackLoader.add_implicit_resolver(TIMESTAMP, SHORT_DATE, list("0123456789"))
StackLoader.add_implicit_resolver(INTEGER, PREFIXED, list("-+0"))
StackLoader.add_implicit_resolver(FLOAT, DECIMAL, list("-+.0123456789"))
StackLoader.add_constructor(TIMESTAMP, _timestamp)
StackLoader.add_constructor(BINARY, _binary)
for tag in (VALUE, MERGE):
    StackLoader.add_constructor(tag, _text)
StackLoader.add_constructor(SET, StackLoader.construct_yaml_map)
for tag in (INTEGER, FLOAT):
    StackLoader.add_constructor(tag, _number(tag))
