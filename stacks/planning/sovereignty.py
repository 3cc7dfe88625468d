"""What the profile of section `sovereignty` demands."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import Profile
from corral.controls.profiles import profile
from corral.stacks.config.errors import Unpinned
from corral.stacks.config.stack_config import Sovereignty
from corral.stacks.planning.results.sovereignty import Digests, PolicyPlan

SHOWN = 3
"""Artifacts without digest that a message names."""


def policy_plan(section: Sovereignty, repositories: tuple[str, ...]) -> PolicyPlan:
    """Parameters of the controls; `repositories`: those that the stack pulls images from."""
    limits = profile(section.profile.value, region=section.region, registry=section.registry)
    return PolicyPlan(
        profile=section.profile,
        regions=tuple(sorted(limits.regions or ())),
        digests_required=section.profile is not Profile.OPEN,
        repositories=repositories,
        source_schemes=limits.model_sources,
    )


def unpinned(section: Sovereignty, digests: Digests) -> Iterator[Unpinned]:
    """A problem where the profile needs digests, and some are unresolved."""
    missing = digests.unresolved
    if missing and section.profile is not Profile.OPEN:
        names = ", ".join(missing[:SHOWN]) + (", …" if len(missing) > SHOWN else "")
        yield Unpinned(
            "sovereignty.profile",
            section.profile.value,
            f"needs digests, and {len(missing)} of {len(missing) + digests.resolved} are unresolved "
            f"({names}): run corral lock",
        )
