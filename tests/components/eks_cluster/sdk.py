"""The properties that a cloud's SDK itself gives a type, by which inputs of a resource are checked."""

import importlib
import inspect
import re
import types
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pulumi
from pulumi._types import input_type_py_to_pulumi_names, is_input_type


def wrong_inputs(token: str, inputs: Mapping[str, Any]) -> list[str]:
    """What of `inputs` the SDK has not, has of another type, or needs and does not get."""
    cloud, module, kind = re.fullmatch(r"(\w+):(\w+)/\w+:(\w+)", token).groups()
    package = importlib.import_module(f"pulumi_{cloud}.{module}")
    return list(_problems(_args_of(package, kind), inputs, kind))


def _args_of(package: types.ModuleType, kind: str) -> type:
    module = importlib.import_module(getattr(package, kind).__module__)
    # Where a property of another type is called as the resource is, the plain name is that one's.
    return getattr(module, f"{kind}InitArgs", None) or getattr(module, f"{kind}Args")


def _problems(shape: type, value: Mapping[str, Any], where: str) -> Iterator[str]:
    names = input_type_py_to_pulumi_names(shape)
    hints = get_type_hints(
        shape.__init__, vars(importlib.import_module(shape.__module__)), vars(pulumi.output)
    )
    parameters = inspect.signature(shape.__init__).parameters
    known = {pulumi_name: hints[python_name] for python_name, pulumi_name in names.items()}
    for key in value.keys() - known.keys():
        yield f"{where}: the SDK has no {key!r}"
    for python_name, pulumi_name in names.items():
        if parameters[python_name].default is inspect.Parameter.empty and pulumi_name not in value:
            yield f"{where}: {pulumi_name!r} is missing"
    for key in value.keys() & known.keys():
        yield from _of_type(known[key], value[key], f"{where}.{key}")


def _of_type(hint: Any, value: Any, where: str) -> Iterator[str]:
    plain = [one for one in _members(hint) if get_origin(one) not in (pulumi.Output, Awaitable)]
    if not any(_fits(one, value) for one in plain):
        yield f"{where}: {value!r} is none of {plain}"
        return
    for one in plain:
        if is_input_type(one) and isinstance(value, Mapping):
            yield from _problems(one, value, where)
        elif isinstance(value, list) and _fits(one, value):
            for index, item in enumerate(value):
                yield from _of_type(get_args(one)[0], item, f"{where}[{index}]")


def _members(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        for one in get_args(hint):
            yield from _members(one)
    else:
        yield hint


def _fits(hint: Any, value: Any) -> bool:
    origin = get_origin(hint) or hint
    if is_typeddict(hint) or is_input_type(hint):
        return isinstance(value, Mapping)
    if origin is type(None) or not isinstance(origin, type):
        return value is None
    if origin in (int, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    # A text is a sequence, too.
    return isinstance(value, origin) and isinstance(value, str) is (origin is str)
