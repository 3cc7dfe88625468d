"""A registry's tags do not move, and what is pushed is scanned."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import Table, missing, needed, true

_ECR = "aws:ecr/repository:Repository"
_TEMPLATE = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
_GOOGLE = "gcp:artifactregistry/repository:Repository"
_FIXED = needed(
    "imageTagMutability",
    lambda one: str(one).startswith("IMMUTABLE"),
    "is not IMMUTABLE, so a tag can become another image",
)
_TABLE: Table = {
    _TEMPLATE: (_FIXED,),
    _ECR: (
        _FIXED,
        needed("imageScanningConfiguration.scanOnPush", true, "is not true"),
    ),
    _GOOGLE: (needed("dockerConfig.immutableTags", true, "is not true, so a tag can become another image"),),
}


def _fixed(subject: Resource, profile: Profile) -> Iterator[str]:
    images = subject.type != _GOOGLE or str(subject.value("format", "DOCKER")).upper() == "DOCKER"
    mirror = str(subject.value("mode", "STANDARD_REPOSITORY")) != "STANDARD_REPOSITORY"
    if images and not mirror:
        yield from missing(_TABLE[subject.type], subject)


_GOOD = {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}}

CONTROL = Control(
    id="SOV-SUP-09",
    title="Tags of a registry do not move, and what is pushed is scanned",
    severity=Severity.MEDIUM,
    sources=("CIS EKS 5.1.1", "SOV-5"),
    remedy="ECR: IMMUTABLE and `scanOnPush`; Artifact Registry: `immutableTags`.",
    rule=ResourceRule(lambda token: token in _TABLE, _fixed),
    cases=(
        Case("fixed and scanned", Verdict.GOOD, Resource(_ECR, "r", _GOOD)),
        Case("movable", Verdict.BAD, Resource(_ECR, "r", {**_GOOD, "imageTagMutability": "MUTABLE"})),
        Case("not scanned", Verdict.BAD, Resource(_ECR, "r", {"imageTagMutability": "IMMUTABLE"})),
        Case(
            "not known yet", Verdict.UNDECIDED, Resource(_ECR, "r", {**_GOOD, "imageTagMutability": UNKNOWN})
        ),
        Case("Google, movable", Verdict.BAD, Resource(_GOOGLE, "r", {"format": "DOCKER"})),
        Case(
            "Google, fixed",
            Verdict.GOOD,
            Resource(_GOOGLE, "r", {"format": "DOCKER", "dockerConfig": {"immutableTags": True}}),
        ),
        Case("Google, packages of Python", Verdict.GOOD, Resource(_GOOGLE, "r", {"format": "PYTHON"})),
    ),
)
