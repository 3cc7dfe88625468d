"""The controls, as their files are found: `controls/<family>/<id>.py` holds one, called `CONTROL`."""

import re
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import corral.controls as package
from corral.controls.control import Control

_FILE = re.compile(r"[a-z]{3}_\d\d")


def _discovered() -> tuple[Control, ...]:
    families = [_module(package, entry.name) for entry in iter_modules(package.__path__) if entry.ispkg]
    return tuple(
        _control(family, entry.name)
        for family in families
        for entry in iter_modules(family.__path__)
        if _FILE.fullmatch(entry.name)
    )


def _module(parent: ModuleType, name: str) -> ModuleType:
    return import_module(f"{parent.__name__}.{name}")


def _control(family: ModuleType, name: str) -> Control:
    control = getattr(_module(family, name), "CONTROL", None)
    stem = f"SOV-{name.upper().replace('_', '-')}"
    if not isinstance(control, Control) or control.id != stem:
        raise TypeError(f"{family.__name__}.{name}: it must define CONTROL with the ID {stem}")
    return control


CONTROLS: tuple[Control, ...] = _discovered()
_BY_ID = {one.id: one for one in CONTROLS}


def control(identity: str) -> Control:
    """The control with that ID.

    Raises:
        ValueError: no such control.
    """
    if identity not in _BY_ID:
        raise ValueError(f"control {identity!r}: one of {', '.join(sorted(_BY_ID))}")
    return _BY_ID[identity]
