"""Buckets of Cloud Storage, and who may enter them: those of the tests' Cloud Storage."""

from typing import Any

from tests.providers.gcp.google import Google, GoogleError, Thing
from tests.providers.gcp.kinds import Inputs, Kind


def _outputs(google: Google, identity: str, inputs: Inputs) -> dict[str, Any]:
    return {
        "url": f"gs://{identity}",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{identity}",
    }


def _made(google: Google, identity: str, thing: Thing) -> None:
    if identity in google.storage.buckets:
        raise GoogleError("conflict", f"The requested bucket name is not available: {identity}")
    google.storage.buckets[identity] = {}
    google.storage.roles[identity] = set()


def _gone(google: Google, identity: str, thing: Thing) -> None:
    """A bucket with objects goes only by force."""
    if google.storage.buckets[identity] and not thing.inputs.get("forceDestroy"):
        raise GoogleError("conflict", f"Error trying to delete bucket {identity} containing objects")
    google.remove(identity)
    del google.storage.buckets[identity], google.storage.roles[identity]


def _entered(google: Google, identity: str, thing: Thing) -> None:
    bucket = thing.inputs["bucket"]
    if bucket not in google.storage.buckets:
        raise GoogleError("notFound", f"The specified bucket does not exist: {bucket}")
    google.storage.roles.setdefault(bucket, set()).add((thing.inputs["role"], thing.inputs["member"]))


def _left(google: Google, identity: str, thing: Thing) -> None:
    role = (thing.inputs["role"], thing.inputs["member"])
    google.storage.roles.get(thing.inputs["bucket"], set()).discard(role)
    google.remove(identity)


KINDS = {
    one.token: one
    for one in (
        Kind(
            "gcp:storage/bucket:Bucket",
            "{name}",
            frozenset({"name", "location", "project", "enableObjectRetention", "hierarchicalNamespace"}),
            outputs=_outputs,
            made=_made,
            remove=_gone,
            named="name",
        ),
        Kind(
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            "b/{bucket}/{role}/{member}",
            frozenset({"bucket", "role", "member", "condition"}),
            made=_entered,
            remove=_left,
        ),
    )
}
