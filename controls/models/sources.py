"""Where models are served from: the platform's own buckets and registry, where these are known."""

from corral.controls.profiles import Profile

BUCKET = "models"
"""The platform's bucket of models where a stack file names none."""
_SHARED = ("s3://", "gs://", "oci://")
"""Prefixes behind which everybody has a bucket or a registry."""


def store(bucket: str) -> str:
    """Prefix of what lies in `bucket` of the platform's store: of S3 a name, of others as `gs://models`."""
    return f"{bucket}/" if "://" in bucket else f"s3://{bucket}/"


def served_from(profile: Profile) -> list[str]:
    """Prefixes that the address of a served model may have.

    A profile that keeps to regions takes no bucket or registry for its own because of its scheme.
    """
    if profile.stores is None or profile.regions is None:
        return list(profile.model_sources)
    registry = [] if profile.registry is None else [f"oci://{profile.registry.rstrip('/')}/"]
    elsewhere = [one for one in profile.model_sources if one not in _SHARED]
    return [*profile.stores, *registry, *elsewhere]
