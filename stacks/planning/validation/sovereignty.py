"""Section `sovereignty`: a region and a registry that the profile allows."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import Profile
from corral.controls.profiles import PROFILES, profile
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig


def check_sovereignty(config: StackConfig) -> Iterator[Problem]:
    """Choices that the profile rules out."""
    section = config.sovereignty
    try:
        profile(section.profile.value, region=section.region)
    except ValueError as error:
        allowed = PROFILES[section.profile.value].regions or frozenset()
        yield Problem(
            "sovereignty.region",
            section.region,
            f"profile {section.profile.value} allows {', '.join(sorted(allowed))}" if allowed else str(error),
        )
    if section.profile is Profile.AIR_GAPPED and section.registry is None:
        yield Problem("sovereignty.registry", "missing", "profile air-gapped pulls from a mirror: name it")
