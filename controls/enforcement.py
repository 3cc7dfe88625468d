"""Enforcement level of a control under a profile."""

from corral.controls.control import Control
from corral.controls.levels import Level
from corral.controls.profiles import Profile


def level(control: Control, profile: Profile) -> Level:
    """What a violation of `control` does under `profile`."""
    return profile.exceptions.get(control.id, profile.levels[control.severity])


def stops(control: Control, profile: Profile) -> bool:
    """Whether a violation of `control` stops a deployment under `profile`."""
    return level(control, profile) is Level.MANDATORY


def demanded(control: Control, profile: Profile) -> bool:
    """Whether `profile` has `control` evaluated at all."""
    return level(control, profile) is not Level.DISABLED
