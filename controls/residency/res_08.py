"""A policy of places names the EU's, not Europe's."""

import re
from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import leaves

_POLICY = "gcp:orgpolicy/policy:Policy"
_LEGACY = tuple(
    f"gcp:{module}:{kind}"
    for module, kind in (
        ("organizations/policy", "Policy"),
        ("folder/organizationPolicy", "OrganizationPolicy"),
        ("projects/organizationPolicy", "OrganizationPolicy"),
    )
)
_CONSTRAINT = "gcp.resourceLocations"
_ALLOWED = re.compile(r"(?:.*\.)?(?:allowedValues|allow\.values)\.\d+")
"""Paths of places that are allowed: groups after `in:`, or single places by their names."""
_ALL = re.compile(r"(?:.*\.)?(?:allowAll|(?:listPolicy|restorePolicy)\.(?:allow\.all|default))")
"""Paths of what allows everything."""


def _locations(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    names = [subject.props.get("name"), subject.props.get("constraint")]
    if UNKNOWN in names:
        raise Undecided("which constraint it is about is not known yet")
    if not any(isinstance(name, str) and name.endswith(_CONSTRAINT) for name in names):
        return
    for path, value in leaves(subject):
        if _ALL.fullmatch(path) and str(value).lower() == "true":
            yield f"`{path}` allows every location; use {_use(profile)}"
        if isinstance(value, str) and _ALLOWED.fullmatch(path):
            place = value.removeprefix("in:").removeprefix("is:").removesuffix("-locations").lower()
            if not profile.holds(place):
                yield f"`{path}` is {value!r}, beyond profile {profile.name}; use {_use(profile)}"


def _use(profile: Profile) -> str:
    names = sorted(profile.regions or ())
    return f"'in:{names[0]}-locations'" if len(names) == 1 else "'in:eu-locations'"


def _policy(*values: str) -> Resource:
    rules = [{"values": {"allowedValues": list(values)}}]
    return Resource(_POLICY, "p", {"name": f"projects/p/policies/{_CONSTRAINT}", "spec": {"rules": rules}})


CONTROL = Control(
    id="SOV-RES-08",
    title="A policy of places names the EU's locations, not Europe's",
    severity=Severity.HIGH,
    sources=("Google Cloud: restricting resource locations", "SOV-3"),
    remedy="Allow `in:eu-locations`, or `in:REGION-locations` of the region that a stack is in; "
    "`in:europe-locations` has the United Kingdom and Switzerland in it.",
    rule=ResourceRule(lambda token: token in (_POLICY, *_LEGACY), _locations),
    cases=(
        Case("the EU's", Verdict.GOOD, _policy("in:eu-locations")),
        Case("one region of the EU", Verdict.GOOD, _policy("in:europe-west3-locations")),
        Case("the EU's, beside one region of it", Verdict.GOOD, _policy("in:eu-locations"), profile="gcp"),
        Case("that region", Verdict.GOOD, _policy("in:europe-west3-locations"), profile="gcp"),
        Case("the US, by its name", Verdict.BAD, _policy("us")),
        Case("a region by its name", Verdict.GOOD, _policy("europe-west3")),
        Case("a region outside by its name", Verdict.BAD, _policy("is:europe-west2")),
        Case("Europe's", Verdict.BAD, _policy("in:europe-locations")),
        Case("the EU's beside the US", Verdict.BAD, _policy("in:eu-locations", "in:us-locations")),
        Case(
            "another constraint",
            Verdict.GOOD,
            Resource(
                _POLICY, "p", {"name": "projects/p/policies/x", "spec": {"values": ["in:us-locations"]}}
            ),
        ),
        Case("not known yet", Verdict.UNDECIDED, Resource(_POLICY, "p", {"name": UNKNOWN})),
    ),
)
