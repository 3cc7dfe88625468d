"""Addons by name: those with a descriptor, `catalogue/addons/<addon>.yaml`."""

from enum import StrEnum
from pathlib import Path

NAMES = sorted(path.stem for path in (Path(__file__).parent / "addons").glob("*.yaml"))

Addon = StrEnum("Addon", {name.upper().replace("-", "_"): name for name in NAMES}, module=__name__)
Addon.__doc__ = "A piece of the platform that can be managed, existing or off."
