"""The published surface, discovered: components of the folders beside this file, and the types they name."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from types import ModuleType
from typing import Any, get_args, is_typeddict

import pulumi

from corral import components as folders
from corral.components._args import hints_of

ROOM = f"{folders.__name__}."


@cache
def components() -> tuple[type[pulumi.ComponentResource], ...]:
    """Every component, by name. Those of clouds need the SDKs of the extras `aws` and `gcp`."""
    modules = pkgutil.walk_packages(folders.__path__, ROOM)
    known = {
        value
        for module in modules
        if not module.name.rpartition(".")[2].startswith("_")
        for value in vars(importlib.import_module(module.name)).values()
        if _is_component(value)
    }
    return tuple(sorted(known, key=lambda one: one.__name__))


def _is_component(value: object) -> bool:
    return (
        inspect.isclass(value)
        and issubclass(value, pulumi.ComponentResource)
        and value.__module__.startswith(ROOM)
        and not value.__name__.startswith("_")
    )


def args_of(component: type[pulumi.ComponentResource]) -> Any:
    """The TypedDict of a component's arguments."""
    return hints_of(component.__init__)["args"]


def outputs_of(component: type[pulumi.ComponentResource]) -> Mapping[str, Any]:
    """Type of each output of a component."""
    return {name: hint for name, hint in hints_of(component).items() if name in component.__annotations__}


@cache
def exports() -> Mapping[str, str]:
    """Module of each name that `corral` has at its top: components, and the types of their arguments.

    Raises:
        ValueError: two types have one name.
    """
    named: dict[str, type] = {}
    for component in components():
        arguments = args_of(component)
        hints = (*hints_of(arguments).values(), *outputs_of(component).values())
        for one in (component, arguments, *(inner for hint in hints for inner in _named_in(hint))):
            if named.setdefault(one.__name__, one) is not one:
                raise ValueError(f"{one.__name__}: {named[one.__name__].__module__} and {one.__module__}")
    return {name: _home(named[name]) for name in sorted(named)}


def _named_in(hint: Any) -> Iterator[Any]:
    """Our own types that `hint` names, at any depth."""
    if is_typeddict(hint):
        yield hint
        for inner in hints_of(hint).values():
            yield from _named_in(inner)
    elif inspect.isclass(hint) and issubclass(hint, Enum):
        yield hint
    for inner in get_args(hint):
        yield from _named_in(inner)


def _home(one: type) -> str:
    """The component's folder where that has the type, else the module that defines it."""
    folder: ModuleType = importlib.import_module(one.__module__.rpartition(".")[0])
    is_public = folder.__name__.startswith(ROOM) and getattr(folder, one.__name__, None) is one
    return folder.__name__ if is_public else one.__module__
