"""Each resource names its provider."""

import re
from collections.abc import Iterator

from corral.controls.cloud import is_cloud
from corral.controls.control import Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_DEFAULT = re.compile(r"default(_\d+(_\d+)*.*)?")
"""Names that the engine gives to providers that no program has made."""


def _ambient(subject: Resource, profile: Profile) -> Iterator[str]:
    if _DEFAULT.fullmatch(subject.provider_name):
        yield "the resource has the ambient provider, whose account and region the machine decides"


def _applies(token: str) -> bool:
    return is_cloud(token) or token.startswith("kubernetes:")


def _by(provider: str, token: str = "aws:s3/bucket:Bucket") -> Resource:
    return Resource(token, "b", {}, provider_name=provider)


CONTROL = Control(
    id="SOV-OPS-08",
    title="Each resource names its provider",
    severity=Severity.HIGH,
    sources=("SOV-4", "SOV-3"),
    remedy="Make a provider in the program, and hand it to the resource as `provider`.",
    rule=ResourceRule(_applies, _ambient),
    cases=(
        Case("a provider of the program", Verdict.GOOD, _by("frankfurt")),
        Case("a provider whose name begins alike", Verdict.GOOD, _by("default-eu")),
        Case("the ambient provider", Verdict.BAD, _by("default")),
        Case("the ambient provider of a version", Verdict.BAD, _by("default_7_51_1")),
        Case("whatever cluster the shell has", Verdict.BAD, _by("default_4_34_2", "kubernetes:core/v1:Pod")),
        Case("a component, which has none", Verdict.GOOD, _by("")),
    ),
)
