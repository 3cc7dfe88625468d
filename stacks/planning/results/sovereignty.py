"""What the profile demands, and how much of the stack has a digest."""

from dataclasses import dataclass

from corral.catalogue.vocabulary import Profile


@dataclass(frozen=True)
class PolicyPlan:
    """What the profile demands; the controls take these as parameters."""

    profile: Profile
    regions: tuple[str, ...]
    """Allowed regions; empty: any."""
    digests_required: bool
    repositories: tuple[str, ...]
    """Image repositories (`host/path`) that the catalogue names, after mirroring."""
    source_schemes: tuple[str, ...]


@dataclass(frozen=True)
class Digests:
    """How far the catalogue's images and charts are pinned by digest."""

    resolved: int
    unresolved: tuple[str, ...]
    """Names of what this plan uses and has no digest."""
