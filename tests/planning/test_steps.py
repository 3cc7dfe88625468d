"""A planning step takes its section of the stack file and the results before it."""

import inspect
import pkgutil
from importlib import import_module
from typing import Any

from corral.stacks import planning
from corral.stacks.config.stack_config import StackConfig

MODULES = [name for _, name, _ in pkgutil.walk_packages(planning.__path__, f"{planning.__name__}.")]


def takers(module: str) -> set[str]:
    """Functions and methods of `module` with a parameter that may be a whole stack file."""
    found: dict[str, Any] = {}
    for name, thing in vars(import_module(module)).items():
        if getattr(thing, "__module__", None) == module:
            inner = vars(thing) if inspect.isclass(thing) else {}
            found |= {name: thing, **{f"{name}.{key}": one for key, one in inner.items()}}
    return {
        name
        for name, function in found.items()
        if inspect.isfunction(function)
        and any(StackConfig.__name__ in str(annotation) for annotation in function.__annotations__.values())
    }


def test_the_whole_stack_file_reaches_the_planner_and_the_checks_before_it_alone():
    found = {module: names for module in MODULES if (names := takers(module))}
    assert found.pop("corral.stacks.planning.planner") == {"plan"}
    assert found
    assert all(module.startswith("corral.stacks.planning.validation.") for module in found), found
