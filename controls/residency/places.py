"""Places as properties of resources name them: regions, zones, and what contains one."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from corral.catalogue import yamls
from corral.controls.control import UNKNOWN
from corral.controls.properties import walk

OWN = ("region", "location", "zone", "availabilityZone", "locationId")
"""Properties in which a resource has its own place."""
_KEY = re.compile(r"(?:^|[a-z_])(?:region|location|zone)(?:s|Id|Ids|Name|Names|_name)?$", re.IGNORECASE)
_NAMES = frozenset({"name", "namePrefix", "sid", "id", "alias", "identifier", "bucket", "namespace"})
_DIRECTION = "(?:north|south|east|west|central|northeast|northwest|southeast|southwest)"
_AWS = (
    r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov|us-iso[a-z]?|eu-iso[a-z]?|eusc-[a-z]{2})"
    rf"-{_DIRECTION}-\d[a-z]?"
)
_GOOGLE = (
    rf"(?:us|europe|asia|australia|northamerica|southamerica|me|africa)-{_DIRECTION}\d{{1,2}}"
    r"(?:-(?:ai\d+)?[a-f])?"
)
_TOKEN = re.compile(
    rf"(?:(?<![A-Za-z0-9-])|(?<=regional-))(?:{_AWS}|{_GOOGLE})(?![A-Za-z0-9])", re.IGNORECASE
)
_SEVERAL = re.compile(r"us|eu|asia|global|nam\d+|eur\d+|asia\d+|in|jp|au|ca|aws-global", re.IGNORECASE)
"""Locations of several regions, such as Google's."""
_PATH = re.compile(
    r"(?:locations|multiRegions)/(us|asia|nam\d+|eur\d+|asia\d+|eu|europe)(?:/|$)", re.IGNORECASE
)
_RING = re.compile(r"locations/(global)/keyRings/")
_RINGS = {"europe": "eu"}
"""Where key rings are, as Cloud KMS calls it and as their data do: those in `EU` take keys of `europe`."""
_HOST = re.compile(r"(?:^|[/\s\"'])(?:(us|asia|eu)\.gcr\.io|(us|asia|europe)-[a-z]+\.pkg\.dev|(gcr\.io)/)")

_ROUTED = re.compile(
    r"(?:^|inference-profile/)(us|us-gov|eu|apac|jp|au|ca|global)\.(?=[a-z0-9]+\.[a-z0-9.-]+[a-z0-9])"
)
"""Where a profile of Amazon Bedrock has a model answer, by the beginning of its ID.

`eu` is "the European area" of CrossRegionInferenceProfileRegion in docs.aws.amazon.com/cdk/api/v2; that it is
the EU alone, nobody says."""
_AREAS = {"eu": "europe"}
_MODEL = re.compile(r"model|copyFrom|profile", re.IGNORECASE)


@cache
def _located() -> Mapping[str, Any]:
    return yamls.load((Path(__file__).parent / "located.yaml").read_text())


@cache
def has_place(token: str) -> bool:
    """Whether resources of a type have a place of their own, stated or by their provider."""
    package, _, rest = token.partition(":")
    module, _, kind = rest.partition(":")
    module = module.partition("/")[0]
    if package == "gcp":
        return kind in _located()["gcp"]["types"].get(module, ())
    if package == "aws":
        return kind not in _located()["aws"]["global"].get(module, ())
    return not kind.startswith("IAM") and module not in ("iam", "organizations", "cloudfront", "route53")


def of_ring(location: str) -> str:
    """Where a key ring of Cloud KMS is, by the name that its data's place has."""
    return _RINGS.get(location.lower(), location.lower())


def is_region(name: str) -> bool:
    """Whether `name` reads as that of a cloud's region or zone."""
    return _TOKEN.fullmatch(name) is not None


def plain(place: str) -> str:
    """A place by its name alone, where it is stated as a path."""
    return place.rstrip("/").rpartition("/")[2].lower()


def inner(props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Paths of all places that properties name beside the resource's own; what is not known as `UNKNOWN`."""
    for path, value in walk(props):
        key = next((one for one in reversed(path.split(".")) if not one.isdigit()), "")
        own = path in OWN
        if value is UNKNOWN:
            if _KEY.search(key) and not own:
                yield path, UNKNOWN
        elif isinstance(value, str) and not own:
            for place in _named(key, value):
                yield path, place.lower()


def _named(key: str, value: str) -> Iterator[str]:
    if _KEY.search(key) and _SEVERAL.fullmatch(value.strip()):
        yield value.strip()
    if key in _NAMES and not any(sign in value for sign in ":/."):
        return
    if _MODEL.search(key) and "." in value:
        yield from (_AREAS.get(match[1], match[1]) for match in _ROUTED.finditer(value))
    if "-" in value:
        yield from dict.fromkeys(match[0] for match in _TOKEN.finditer(value))
    if "/" in value:
        for pattern in (_PATH, _RING, _HOST):
            for match in pattern.finditer(value):
                place = next(one for one in match.groups() if one)
                yield of_ring(place) if value.startswith("keyRings/", match.end()) else place
