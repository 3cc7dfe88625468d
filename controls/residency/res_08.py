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
_GROUP = "in:"
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
            yield f"`{path}` allows every location; use 'in:eu-locations'"
        if (
            isinstance(value, str)
            and value.startswith(_GROUP)
            and "denied" not in path.lower()
            and "deny" not in path
        ):
            place = value.removeprefix(_GROUP).removesuffix("-locations")
            if place != "eu" and not profile.holds(place):
                yield f"`{path}` is {value!r}, beyond profile {profile.name}; use 'in:eu-locations'"


def _policy(*values: str) -> Resource:
    rules = [{"values": {"allowedValues": list(values)}}]
    return Resource(_POLICY, "p", {"name": f"projects/p/policies/{_CONSTRAINT}", "spec": {"rules": rules}})


CONTROL = Control(
    id="SOV-RES-08",
    title="A policy of places names the EU's locations, not Europe's",
    severity=Severity.HIGH,
    sources=("Google Cloud: restricting resource locations", "SOV-3"),
    remedy="Allow `in:eu-locations`; `in:europe-locations` has the United Kingdom and Switzerland in it.",
    rule=ResourceRule(lambda token: token in (_POLICY, *_LEGACY), _locations),
    cases=(
        Case("the EU's", Verdict.GOOD, _policy("in:eu-locations")),
        Case("one region of the EU", Verdict.GOOD, _policy("in:europe-west3-locations")),
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
