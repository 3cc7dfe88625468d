"""What a cloud's SDK says of a resource by its types: names of inputs, which are required, their elements."""

import importlib
import inspect
import sys
import types
import typing
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pulumi
from pulumi import _types as sdk

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends for a value that is not known in preview (pulumi.runtime.rpc.UNKNOWN)."""
OWN = "__defaults"
"""Where a bridged provider notes which inputs it filled in itself."""
SCALARS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

Field = tuple[Any, bool]
"""Type of an input, and whether it is required."""


def resource_class(token: str) -> type:
    """The SDK's class of a resource type: `aws:ec2/vpc:Vpc`."""
    cloud, module, name = token.split(":")
    return getattr(importlib.import_module(f"pulumi_{cloud}.{module.partition('/')[0]}"), name)


@cache
def inputs_of(token: str) -> Mapping[str, Field]:
    """Inputs of a resource type by name, from the class of its arguments."""
    made = resource_class(token)
    module = sys.modules[made.__module__]
    # The SDK says `InitArgs` where an input of another resource is called so already.
    (args,) = {f"{made.__name__}Args", f"{made.__name__}InitArgs"} & set(module.__all__)
    return _fields(getattr(module, args))


@cache
def outputs_of(token: str) -> frozenset[str]:
    """Names of all that a resource has when it is made."""
    return frozenset(sdk.resource_types(resource_class(token)))


@cache
def _fields(args: type) -> Mapping[str, Field]:
    kinds = sdk.input_type_types(args)
    parameters = inspect.signature(args.__init__).parameters
    return {
        name: (kinds[name], parameters[python].default is inspect.Parameter.empty)
        for python, name in sdk.input_type_py_to_pulumi_names(args).items()
    }


def refusals(token: str, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and reason of each input that the SDK's types do not have."""
    yield from _object("", {key: one for key, one in inputs.items() if key != OWN}, inputs_of(token))


def _object(path: str, value: Mapping[str, Any], fields: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    for key, one in value.items():
        where = f"{path}.{key}" if path else key
        if key not in fields:
            yield where, f"unknown; allowed are {', '.join(sorted(fields))}"
        elif one is not None:
            yield from _value(where, one, fields[key][0])
    for key, (_, required) in fields.items():
        if required and value.get(key) is None:
            yield f"{path}.{key}" if path else key, "missing, and required"


def _value(path: str, value: Any, kind: Any) -> Iterator[tuple[str, str]]:
    if value == UNKNOWN:
        return
    choices = list(_choices(kind))
    problems = [list(_one(path, value, choice)) for choice in choices]
    if all(problems):
        yield from problems[0]


def _choices(kind: Any) -> Iterator[Any]:
    """Plain types of an `Input[Optional[T]]`."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        for one in typing.get_args(kind):
            yield from _choices(one)
    elif origin in (pulumi.Output, Awaitable) or kind is type(None) or typing.is_typeddict(kind):
        return
    else:
        yield kind


def _one(path: str, value: Any, kind: Any) -> Iterator[tuple[str, str]]:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if inspect.isclass(kind) and sdk.is_input_type(kind):
        if isinstance(value, dict):
            yield from _object(path, value, _fields(kind))
        else:
            yield path, f"{value!r} is no object"
    elif origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            yield path, f"{value!r} is no map"
            return
        for key, one in value.items():
            yield from _value(f"{path}[{key!r}]", one, inner[-1])
    elif origin is not None and issubclass(origin, Sequence):
        if not isinstance(value, list):
            yield path, f"{value!r} is no list"
            return
        for index, one in enumerate(value):
            yield from _value(f"{path}[{index}]", one, inner[0])
    elif kind in SCALARS and not _is(value, kind):
        yield path, f"{value!r} is not {SCALARS[kind]}"


def _is(value: Any, kind: type) -> bool:
    if kind in (int, float):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (kind is float or float(value).is_integer())
    return isinstance(value, kind)
