"""What the profile of section `sovereignty` demands."""

from collections.abc import Iterator
from datetime import date

from corral.catalogue.vocabulary import Profile
from corral.controls.adjustments import enforced
from corral.controls.enforcement import stops
from corral.controls.exceptions import ControlException
from corral.controls.profiles import PROFILES, profile
from corral.controls.profiles import Profile as Constraints
from corral.controls.register import CONTROLS, control
from corral.stacks.config.errors import Unpinned
from corral.stacks.config.stack_config import Signatures, Sovereignty
from corral.stacks.planning.results.sovereignty import (
    Digests,
    ExceptionPlan,
    PolicyPlan,
    SignaturePlan,
    SigstorePlan,
)

BUDGET = "SOV-CST-01"
STORES = "SOV-KEY-14"
QUOTAS = "SOV-GPU-02"
PLANNED = frozenset({"SOV-RES-01", "SOV-SUP-02", BUDGET, STORES})
"""Controls of which the plan itself refuses violations in the stack file: region, digests, a budget, a store
of secrets."""
SHOWN = 3
"""Artifacts without digest that a message names."""


def limits_of(section: Sovereignty) -> Constraints:
    """The profile of a stack, narrowed to its region or site and its registry.

    Raises:
        ValueError: the region lies outside the profile.
    """
    return profile(
        section.profile.value, region=section.region_name, country=section.country, registry=section.registry
    )


def stopping(section: Sovereignty, identity: str) -> bool:
    """Whether control `identity` stops an update of the stack, which states no exception from it."""
    limits = enforced(PROFILES[section.profile.value], section.controls)
    excepted = any(one.control == identity for one in section.exceptions)
    return not excepted and stops(control(identity), limits)


def policy_plan(section: Sovereignty, repositories: tuple[str, ...], day: date) -> PolicyPlan:
    """Parameters of the controls; `repositories`: those that the stack pulls images from.

    `day`: from which the days that exceptions have left are counted.
    """
    limits = limits_of(section)
    return PolicyPlan(
        profile=section.profile,
        regions=tuple(sorted(limits.regions or ())),
        digests_required=section.profile is not Profile.OPEN,
        repositories=repositories,
        source_schemes=limits.model_sources,
        levels=tuple((identity, chosen) for identity, chosen in section.controls.items()),
        exceptions=exception_plans(section, day),
        signatures=None if section.signatures is None else _signatures(section.signatures),
    )


def _signatures(section: Signatures) -> SignaturePlan:
    own = section.sigstore
    return SignaturePlan(
        keys=section.keys,
        sigstore=own and SigstorePlan(own.issuer, own.subject, own.mirror, own.root),
        attestations=section.attestations,
        scan_days=section.scan_days,
        registry_ca=section.registry_ca,
    )


def exception_plans(section: Sovereignty, day: date) -> tuple[ExceptionPlan, ...]:
    """The exceptions of a stack, with the days that are left after `day`; only of known controls."""
    known = {one.id for one in CONTROLS}
    return tuple(_exception(one.parsed, day) for one in section.exceptions if one.control in known)


def _exception(one: ControlException, day: date) -> ExceptionPlan:
    return ExceptionPlan(
        control=one.control,
        title=control(one.control).title,
        reason=one.reason,
        approver=one.approver,
        expires=one.expires,
        resources=one.resources,
        days_left=one.days_left(day),
        ends_soon=one.ends_soon(day),
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
