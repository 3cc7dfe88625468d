"""Who operates the cloud is someone the profile takes."""

from collections.abc import Iterator

from corral.controls.cloud import is_cloud
from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.residency.places import OWN, has_place, plain


def _operated(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.operators is None or not has_place(subject.type):
        return
    stated = [subject.props.get(key) for key in OWN]
    places = [one for one in stated if isinstance(one, str) and "://" not in one]
    if not places and UNKNOWN in stated:
        raise Undecided("the region is not known yet")
    places = places or [str(one) for one in (subject.provider.get("region"),) if one not in (None, UNKNOWN)]
    if not profile.operators:
        yield f"profile {profile.name} takes no cloud provider"
    elif not places or not all(_held(plain(place), profile.operators) for place in places):
        named = ", ".join(places) or "a region that is not stated"
        yield f"{named} is run by an operator that profile {profile.name} takes with further evidence alone"


def _held(place: str, regions: frozenset[str]) -> bool:
    return any(place == one or place.startswith(one) for one in regions)


CONTROL = Control(
    id="SOV-OPR-01",
    title="The operator of the cloud is one that the profile takes",
    severity=Severity.HIGH,
    sources=("SOV-1", "SOV-2", "SecNumCloud 3.2"),
    remedy="Use a region of such an operator, or put the operator's evidence on file.",
    rule=ResourceRule(is_cloud, _operated),
    cases=(
        Case(
            "the European Sovereign Cloud",
            Verdict.GOOD,
            Resource("aws:s3/bucket:Bucket", "b", {"region": "eusc-de-east-1"}),
            profile="eu-sovereign",
        ),
        Case(
            "a commercial region",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {"region": "eu-central-1"}),
            profile="eu-sovereign",
        ),
        Case(
            "the provider's region",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {}, provider={"region": "eu-central-1"}),
            profile="eu-sovereign",
        ),
        Case(
            "any cloud without a way out",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {"region": "eusc-de-east-1"}),
            profile="air-gapped",
        ),
        Case(
            "not known yet",
            Verdict.UNDECIDED,
            Resource("aws:s3/bucket:Bucket", "b", {"region": UNKNOWN}),
            profile="eu-sovereign",
        ),
        Case(
            "a commercial region where its place is enough",
            Verdict.GOOD,
            Resource("aws:s3/bucket:Bucket", "b", {"region": "eu-central-1"}),
        ),
    ),
)
