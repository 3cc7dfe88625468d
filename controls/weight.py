"""How a violation weighs under a profile: it stops a deployment, or it is reported."""

from corral.controls.control import Control, Severity
from corral.controls.profiles import Profile


def stops(control: Control, profile: Profile) -> bool:
    """Whether a violation of `control` stops a deployment under `profile`; else it is only reported."""
    lenient = {Severity.LOW, Severity.MEDIUM} if profile.name == "open" else {Severity.LOW}
    return control.id not in profile.reports and control.severity not in lenient
