"""Every resource lies in a region of the profile."""

from collections.abc import Iterator

from corral.controls.cloud import is_cloud
from corral.controls.control import (
    UNKNOWN,
    Case,
    Control,
    Resource,
    ResourceRule,
    Undecided,
    Unknown,
    Verdict,
)
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.residency.places import OWN, has_place, of_ring, plain
from corral.controls.residency.subjects import bucket

_RING = "gcp:kms/keyRing:KeyRing"
_BUCKET = "gcp:storage/bucket:Bucket"
_FIRESTORE = "gcp:firestore/database:Database"
_SEVERAL = (
    ("EU", _BUCKET, "location"),
    ("EUR4", _BUCKET, "location"),
    ("EU", "gcp:bigquery/dataset:Dataset", "location"),
    ("europe", _RING, "location"),
    ("eur4", _RING, "location"),
    ("eur3", _FIRESTORE, "locationId"),
)
"""Places of several regions of the EU, each with a type of resource that can be there."""


def _region(resource: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    stated = [
        (key, resource.value(key)) for key in OWN if isinstance(resource.props.get(key), (str, Unknown))
    ]
    stated = [(key, place) for key, place in stated if "://" not in place or "/zones/" in place]
    if not stated:
        for key in ("region", "zone"):
            region = resource.provider.get(key)
            if region is UNKNOWN:
                raise Undecided(f"the provider's `{key}` is not known yet")
            if region is not None:
                stated.append((f"provider {key}", region))
    for key, place in stated:
        name = plain(str(place))
        if not profile.holds(of_ring(name) if resource.type == _RING else name):
            yield f"{key} {place!r} lies outside profile {profile.name}"
    if not stated and resource.provider and has_place(resource.type):
        yield f"neither the resource nor its provider names a region, so profile {profile.name} cannot hold"


CONTROL = Control(
    id="SOV-RES-01",
    title="Every resource lies in a region of the profile",
    severity=Severity.CRITICAL,
    sources=("SOV-3", "GDPR 44"),
    remedy="Set `region` to one of the profile's regions, on the provider or on the resource; a location of "
    "several, such as Google's `EU`, is one of them where the profile has every region of it.",
    rule=ResourceRule(is_cloud, _region),
    cases=(
        Case("a key ring for data of the US", Verdict.BAD, Resource(_RING, "r", {"location": "us"})),
        Case("in the set", Verdict.GOOD, bucket(region="eu-central-1")),
        Case("in the sovereign cloud", Verdict.GOOD, bucket(region="eusc-de-east-1")),
        Case("a zone of the set", Verdict.GOOD, bucket(availabilityZone="eu-central-1a")),
        Case(
            "a Google zone of the set",
            Verdict.GOOD,
            Resource("gcp:container/nodePool:NodePool", "p", {"location": "europe-west4-b"}),
        ),
        Case(
            "a Google zone of accelerators alone",
            Verdict.GOOD,
            Resource("gcp:container/nodePool:NodePool", "p", {"location": "europe-west4-ai1a"}),
        ),
        Case("London looks European", Verdict.BAD, bucket(region="eu-west-2")),
        Case("Zurich looks European", Verdict.BAD, bucket(region="eu-central-2")),
        Case(
            "Google's London",
            Verdict.BAD,
            Resource("gcp:storage/bucket:Bucket", "b", {"location": "EUROPE-WEST2"}),
        ),
        Case(
            "a resource's own region wins over its provider's",
            Verdict.BAD,
            Resource(
                "aws:s3/bucket:Bucket", "b", {"region": "us-east-1"}, provider={"region": "eu-central-1"}
            ),
        ),
        Case(
            "the provider's region",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {}, provider={"region": "us-east-1"}),
        ),
        Case(
            "nobody names a region",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {}, provider={"profile": "x"}),
        ),
        Case(
            "a grant, which has no place",
            Verdict.GOOD,
            Resource(
                "gcp:storage/bucketIAMBinding:BucketIAMBinding",
                "g",
                {"bucket": "b"},
                provider={"project": "x"},
            ),
        ),
        *(
            case
            for place, token, key in _SEVERAL
            for case in (
                Case(
                    f"{place} of a {token.rpartition(':')[2]}",
                    Verdict.GOOD,
                    Resource(token, "r", {key: place}),
                ),
                Case(
                    f"{place} of a {token.rpartition(':')[2]} beside one region of it",
                    Verdict.GOOD,
                    Resource(token, "r", {key: place}),
                    profile="gcp",
                ),
            )
        ),
        Case(
            "the one region that is allowed",
            Verdict.GOOD,
            Resource(_BUCKET, "b", {"location": "EUROPE-WEST3"}),
            profile="gcp",
        ),
        Case("Firestore in the US", Verdict.BAD, Resource(_FIRESTORE, "d", {"locationId": "nam5"})),
        Case(
            "a registry of Google's Europe, of which nobody says that it is the EU",
            Verdict.BAD,
            Resource("gcp:artifactregistry/repository:Repository", "r", {"location": "europe"}),
        ),
        Case("Google's US", Verdict.BAD, Resource("gcp:storage/bucket:Bucket", "b", {"location": "US"})),
        Case(
            "Google's Frankfurt with Zurich",
            Verdict.BAD,
            Resource("gcp:storage/bucket:Bucket", "b", {"location": "EUR8"}),
        ),
        Case(
            "a network of Google's, which has no place",
            Verdict.GOOD,
            Resource("gcp:compute/firewall:Firewall", "f", {"network": "n"}, provider={"project": "x"}),
        ),
        Case(
            "a role, which has no place",
            Verdict.GOOD,
            Resource("aws:iam/role:Role", "r", {}, provider={"profile": "x"}),
        ),
        Case(
            "a zone by its address",
            Verdict.BAD,
            Resource(
                "gcp:compute/disk:Disk",
                "d",
                {"zone": "https://www.googleapis.com/compute/v1/projects/p/zones/us-east1-b"},
            ),
        ),
        Case(
            "a table's location, which is an address",
            Verdict.GOOD,
            Resource(
                "aws:glue/catalogDatabase:CatalogDatabase",
                "d",
                {"region": "eu-west-1", "location": "s3://b/p"},
            ),
        ),
        Case("not known before the update", Verdict.UNDECIDED, bucket(region=UNKNOWN)),
        Case("anywhere in profile open", Verdict.GOOD, bucket(region="us-east-1"), profile="open"),
    ),
)
