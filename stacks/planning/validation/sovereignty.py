"""Section `sovereignty`: a region and a registry that the profile allows."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import Profile
from corral.controls.profiles import PROFILES, profile
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig


def check_sovereignty(config: StackConfig) -> Iterator[Problem]:
    """Choices that the profile rules out."""
    wanted = config.sovereignty
    try:
        profile(wanted.profile.value, region=wanted.region)
    except ValueError as error:
        allowed = PROFILES[wanted.profile.value].regions or frozenset()
        yield Problem(
            "sovereignty.region",
            wanted.region,
            f"profile {wanted.profile.value} allows {', '.join(sorted(allowed))}" if allowed else str(error),
        )
    if wanted.profile is Profile.AIR_GAPPED and wanted.registry is None:
        yield Problem("sovereignty.registry", "missing", "profile air-gapped pulls from a mirror: name it")
