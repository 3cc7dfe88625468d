"""A key is in the region of what it encrypts, and in an account or project apart."""

import re
from collections.abc import Iterator
from typing import Any

from corral.controls.cloud import is_cloud
from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import leaves
from corral.controls.residency.places import OWN, plain

_ARN = re.compile(r"arn:[a-z-]*:kms:([a-z0-9-]+):\d+:(?:key|alias)/")
_NAME = re.compile(r"projects/([^/]+)/locations/([^/]+)/keyRings/")
_KEYS = ("aws:kms/", "aws:iam/", "gcp:kms/", "aws:backup/plan", "aws:s3/bucketReplication")
"""Types about keys themselves, and about copies, which have a key where they are made."""
_COPIES = ("replica", "destination", "copy")


def _applies(token: str) -> bool:
    return is_cloud(token) and not token.startswith(_KEYS)


def _apart(subject: Resource, profile: Profile) -> Iterator[str]:
    own = _own(subject)
    project = subject.props.get("project") or subject.provider.get("project")
    for path, value in leaves(subject):
        if not isinstance(value, str) or any(word in path.lower() for word in _COPIES):
            continue
        for match in _ARN.finditer(value):
            if own and not own.startswith(match[1]):
                yield f"`{path}` names a key in {match[1]}, and what it encrypts is in {own}"
        for match in _NAME.finditer(value):
            if own and not _matches(match[2], own):
                yield f"`{path}` names a key in {match[2]}, and what it encrypts is in {own}"
            if project == match[1]:
                yield f"`{path}` names a key of project {match[1]}, where the data is, too"


_SEVERAL = {"eu": "europe", "eur3": "europe", "nam5": "us"}
"""Places of several regions whose key rings are in one of another name: of BigQuery and Cloud Storage, and of
Firestore (hashicorp/terraform-provider-google at e03b762, resource_firestore_database.go)."""


def _matches(ring: str, own: str) -> bool:
    """Whether Google takes a key of a ring in `ring` for what is in `own`, one region, zone or several."""
    if "-" in own:
        return "-" in ring and own.startswith(ring)
    return _SEVERAL.get(own, own) == ring.lower()


def _own(subject: Resource) -> str | None:
    """Region or zone of a resource, where it is known."""
    regions: list[Any] = [subject.props.get(key) for key in OWN]
    if UNKNOWN in regions:
        return None
    stated = [one for one in (*regions, subject.provider.get("region")) if isinstance(one, str)]
    return plain(stated[0]) if stated and "://" not in stated[0] else None


_VOLUME = "aws:ebs/volume:Volume"
_DISK = "gcp:compute/disk:Disk"


def _volume(region: str, zone: object = "eu-central-1a") -> Resource:
    key = f"arn:aws:kms:{region}:123456789012:key/k"
    return Resource(_VOLUME, "v", {"availabilityZone": zone, "kmsKeyId": key})


def _disk(place: str, project: str) -> Resource:
    key = f"projects/{project}/locations/{place}/keyRings/r/cryptoKeys/k"
    props = {"zone": "europe-west3-a", "diskEncryptionKey": {"kmsKeySelfLink": key}}
    return Resource(_DISK, "d", props, provider={"project": "data"})


def _dataset(place: str, ring: str) -> Resource:
    key = f"projects/keys/locations/{ring}/keyRings/r/cryptoKeys/k"
    encrypted = {"defaultEncryptionConfiguration": {"kmsKeyName": key}}
    return Resource("gcp:bigquery/dataset:Dataset", "d", {"location": place, **encrypted})


CONTROL = Control(
    id="SOV-KEY-11",
    title="Keys are in the region of their data, in a project apart",
    severity=Severity.HIGH,
    sources=("SOV-3", "gcp.restrictCmekCryptoKeyProjects"),
    remedy="Use a key of the same region; Google: of a project that holds keys alone.",
    rule=ResourceRule(_applies, _apart),
    cases=(
        Case("the same region", Verdict.GOOD, _volume("eu-central-1")),
        Case("another region of the profile", Verdict.BAD, _volume("eu-west-1")),
        Case("a volume whose zone is not known yet", Verdict.GOOD, _volume("eu-west-1", UNKNOWN)),
        Case("a project apart", Verdict.GOOD, _disk("europe-west3", "keys")),
        Case("the data's own project", Verdict.BAD, _disk("europe-west3", "data")),
        Case("another place", Verdict.BAD, _disk("europe-west4", "keys")),
        *(
            Case(f"data in {place} under a key in {ring}", verdict, _dataset(place, ring))
            for place, ring, verdict in (
                ("EU", "europe", Verdict.GOOD),
                ("eu", "europe", Verdict.GOOD),
                ("EUR4", "eur4", Verdict.GOOD),
                ("europe-west3", "europe-west3", Verdict.GOOD),
                ("EU", "us", Verdict.BAD),
                ("EU", "global", Verdict.BAD),
                ("EU", "europe-west3", Verdict.BAD),
                ("europe-west3", "europe", Verdict.BAD),
            )
        ),
        Case(
            "a replica's key, where the replica is",
            Verdict.GOOD,
            Resource(
                "aws:secretsmanager/secret:Secret",
                "s",
                {
                    "region": "eu-central-1",
                    "replicas": [{"region": "eu-west-1", "kmsKeyId": "arn:aws:kms:eu-west-1:1:key/k"}],
                },
            ),
        ),
    ),
)
