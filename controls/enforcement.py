"""Enforcement level of a control under a profile, and what is excepted from it."""

from corral.controls.control import Control
from corral.controls.exceptions import ControlException
from corral.controls.levels import Level
from corral.controls.profiles import Profile


def level(control: Control, profile: Profile) -> Level:
    """What a violation of `control` does under `profile`."""
    return profile.overrides.get(control.id, profile.levels[control.severity])


def stops(control: Control, profile: Profile) -> bool:
    """Whether a violation of `control` stops a deployment under `profile`."""
    return level(control, profile) is Level.MANDATORY


def demanded(control: Control, profile: Profile) -> bool:
    """Whether `profile` has `control` evaluated at all."""
    return level(control, profile) is not Level.DISABLED


def exceptions_of(control: Control, profile: Profile) -> tuple[ControlException, ...]:
    """Exceptions from `control` that are in force under `profile`."""
    return tuple(one for one in profile.exceptions if one.control == control.id)
