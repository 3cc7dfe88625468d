"""Profiles: one word in the stack file becomes the constraints that the controls hold against.

Regions are exact sets, since prefixes lie: `eu-west-2` and `europe-west2` are in the United Kingdom,
`eu-central-2` and `europe-west6` in Switzerland, and `eusc-de-east-1` is in the EU.
Source of the sets: facts of 2026-11-23 about the AWS partitions `aws` and `aws-eusc` and about Google's
region list.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from corral.catalogue.vocabulary import Profile as ProfileName
from corral.controls.ceiling import Ceiling

AWS_EU = frozenset({"eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "eu-south-1", "eu-south-2"})
AWS_EUSC = frozenset({"eusc-de-east-1"})
GCP_EU = frozenset(
    {
        "europe-central2",
        "europe-north1",
        "europe-southwest1",
        "europe-west1",
        "europe-west3",
        "europe-west4",
        "europe-west8",
        "europe-west9",
        "europe-west10",
        "europe-west12",
    }
)


@dataclass(frozen=True)
class Profile:
    """What one word stands for."""

    name: str
    regions: frozenset[str] | None
    """Regions in which resources may lie; None: anywhere."""
    partition: str | None
    """AWS partition that ARNs must carry; None: any."""
    dns_suffix: str | None
    """Suffix of AWS endpoints in that partition; None: any."""
    universe: str | None
    """Google universe domain; None: any."""
    registry: str | None
    """Registry host and path that images must come from; None: exactly the repositories of the catalogue."""
    model_sources: tuple[str, ...]
    """Prefixes that a model's address may have."""
    reports: frozenset[str] = frozenset()
    """Controls that only report in this profile."""
    ceiling: Ceiling | None = None
    """What the GPU nodes may cost; None: nothing was said of it."""

    def holds(self, region: str) -> bool:
        """Whether `region`, or the region of zone `region`, is in the profile's set."""
        if self.regions is None:
            return True
        zone = re.fullmatch(r"(.*\d)-?[a-z]", region)
        return region in self.regions or (zone is not None and zone[1] in self.regions)


_ANY_SOURCE = ("s3://", "gs://", "pvc://", "oci://", "hf://", "package://", "file://")
_OWN_SOURCE = ("s3://", "gs://", "pvc://", "oci://")

_EU = Profile(
    name=ProfileName.EU_RESIDENT.value,
    regions=AWS_EU | AWS_EUSC | GCP_EU,
    partition=None,
    dns_suffix=None,
    universe=None,
    registry=None,
    model_sources=_OWN_SOURCE,
)

PROFILES: Mapping[str, Profile] = {
    "open": replace(
        _EU,
        name="open",
        regions=None,
        model_sources=_ANY_SOURCE,
        reports=frozenset({"SOV-SUP-02", "SOV-MOD-02"}),
    ),
    "eu-resident": _EU,
    "eu-controlled": replace(_EU, name="eu-controlled"),
    "eu-sovereign": replace(_EU, name="eu-sovereign"),
    "air-gapped": replace(_EU, name="air-gapped", model_sources=("s3://", "pvc://", "oci://")),
}
"""Profiles by name."""


def profile(name: str, *, region: str | None = None, registry: str | None = None) -> Profile:
    """The profile called `name`, narrowed to `region` and `registry` where given.

    Raises:
        ValueError: no such profile, or a region outside its set.
    """
    if name not in PROFILES:
        raise ValueError(f"sovereignty profile {name!r}: one of {', '.join(PROFILES)}")
    found = PROFILES[name]
    if region is not None and found.regions is not None:
        if region not in found.regions:
            allowed = ", ".join(sorted(found.regions))
            raise ValueError(f"region {region!r} lies outside profile {name}: one of {allowed}")
        eusc = region in AWS_EUSC
        aws = eusc or region in AWS_EU
        found = replace(
            found,
            regions=frozenset({region}),
            partition=("aws-eusc" if eusc else "aws") if aws else None,
            dns_suffix=("amazonaws.eu" if eusc else "amazonaws.com") if aws else None,
            universe=None if aws else "googleapis.com",
        )
    return replace(found, registry=registry or found.registry)
