"""Profiles: one word in the stack file becomes constraints and the enforcement level of each control.

A profile is `<word>.yaml` beside this file; `regions.yaml` has the sets of regions of clouds that they name,
`countries.yaml` those of countries in which one's own sites may be.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from corral.catalogue import yamls
from corral.catalogue.vocabulary import Profile as ProfileName
from corral.controls.budget import Budget
from corral.controls.exceptions import ControlException
from corral.controls.levels import Level, Severity

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Profile:
    """Constraints that the controls hold against, and what a violation of each does."""

    name: str
    regions: frozenset[str] | None
    """Regions in which resources may be; None: anywhere."""
    jurisdiction: frozenset[str]
    """The profile's own, on the cloud of a stack's region: a place of several may have all of them."""
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
    levels: Mapping[Severity, Level]
    """Enforcement level by severity."""
    summary: str = ""
    """What the profile is for, in a sentence."""
    demands: tuple[str, ...] = ()
    """What it demands, and of whom."""
    not_proved: tuple[str, ...] = ()
    """What no control can show."""
    key_origin: str = "provider"
    """Where keys must come from: `provider`, or `external`."""
    retention_days: int = 0
    """How long logs must be kept at least; 0: as long as one likes."""
    operators: frozenset[str] | None = None
    """Regions of operators that the profile takes without further evidence; None: any."""
    overrides: Mapping[str, Level] = field(default_factory=dict[str, Level])
    """Enforcement level of single controls, by ID."""
    countries: frozenset[str] | None = None
    """Countries in which a site of one's own may be; None: any."""
    workspace: Mapping[str, Level] = field(default_factory=dict[str, Level])
    """Enforcement level of what is evaluated of a project's files, by ID."""
    unexceptable: frozenset[str] = frozenset()
    """IDs of controls that no exception is taken from."""
    exceptions: tuple[ControlException, ...] = ()
    """Exceptions that the stack has, all of them in force."""
    stores: tuple[str, ...] | None = None
    """Prefixes of addresses in the platform's own buckets; None: they are not known."""
    locked: frozenset[str] | None = None
    """Digests of the bundle's lock, and `chart NAME VERSION` of its charts; None: no lock is named."""
    budget: Budget | None = None
    """What the GPU nodes may cost; None: no limit is configured."""
    images: tuple[str, ...] = ()
    """Repositories of the stack's own images, beside the registry or the catalogue."""
    kubernetes: int | None = None
    """Minor version of the cluster's Kubernetes 1, 35 of 1.35.2; None: not known."""

    @property
    def multi_regions(self) -> frozenset[str]:
        """Locations of several regions, none of which is outside the profile's jurisdiction."""
        return frozenset(name for name, regions in MULTI_REGIONS.items() if regions <= self.jurisdiction)

    def holds(self, region: str) -> bool:
        """Whether `region`, a region, zone or multi-region, is in the profile's set."""
        if self.regions is None or region in self.regions:
            return True
        if region in MULTI_REGIONS:
            return MULTI_REGIONS[region] <= self.jurisdiction
        zone = re.fullmatch(r"(.*?\d)(-ai\d+|-)?[a-z]", region)
        return zone is not None and zone[1] in self.regions


def _read(stem: str) -> Mapping[str, Any]:
    return yamls.load((_FOLDER / f"{stem}.yaml").read_text())


_REGIONS = _read("regions")
_SETS: Mapping[str, Mapping[str, Any]] = {
    name: entry for name, entry in _REGIONS.items() if name != "multi-regions"
}
MULTI_REGIONS: Mapping[str, frozenset[str]] = {
    name: frozenset(_SETS[own]["regions"] if isinstance(own := entry["regions"], str) else own)
    for name, entry in _REGIONS["multi-regions"].items()
}
"""Locations of several regions, and every region in which they may keep what is there."""
_COUNTRIES: Mapping[str, frozenset[str]] = {
    name: frozenset(entry["countries"]) for name, entry in _read("countries").items()
}
ALL_COUNTRIES = _COUNTRIES["iso"]
"""Every code of ISO 3166-1 alpha-2."""


def _union(sets: list[str]) -> frozenset[str]:
    return frozenset(region for name in sets for region in _SETS[name]["regions"])


def _countries(sets: list[str]) -> frozenset[str]:
    return frozenset(code for name in sets for code in _COUNTRIES[name])


def _profile(name: str) -> Profile:
    data = _read(name)
    regions = None if data["regions"] == "any" else _union(data["regions"])
    return Profile(
        name=name,
        regions=regions,
        jurisdiction=regions or frozenset(),
        partition=None,
        dns_suffix=None,
        universe=None,
        registry=None,
        model_sources=tuple(data["model-sources"]),
        summary=data["summary"],
        demands=tuple(data["demands"]),
        not_proved=tuple(data["not-proved"]),
        key_origin=data["key-origin"],
        retention_days=data["retention-days"],
        operators=None if data["operators"] == "any" else _union(data["operators"]),
        levels={severity: Level(data["levels"][severity.value]) for severity in Severity},
        overrides={identity: Level(level) for identity, level in data.get("controls", {}).items()},
        countries=None if data["countries"] == "any" else _countries(data["countries"]),
        unexceptable=frozenset(data["unexceptable"]),
        workspace={identity: Level(level) for identity, level in data["workspace"].items()},
    )


PROFILES: Mapping[str, Profile] = {word.value: _profile(word.value) for word in ProfileName}
"""Profiles by name."""


def profile(
    name: str,
    *,
    region: str | None = None,
    country: str | None = None,
    registry: str | None = None,
    stores: tuple[str, ...] | None = None,
) -> Profile:
    """The profile called `name`, narrowed to `region`, `registry` and `stores` if they are set.

    Locations of several regions stay those of the profile, on the region's cloud: a bucket in Google's `EU`
    is under the law that a stack in `europe-west4` is under. With `country` the region is a site of one's
    own there, and no region of a cloud is in the profile.

    Raises:
        ValueError: no such profile, a region outside its set, or a country outside its own.
    """
    if name not in PROFILES:
        raise ValueError(f"sovereignty profile {name!r}: one of {', '.join(PROFILES)}")
    chosen = PROFILES[name]
    if country is not None:
        chosen = _at_site(chosen, region, country)
    elif region is not None and chosen.regions is not None:
        if region not in chosen.regions:
            allowed = ", ".join(sorted(chosen.regions))
            raise ValueError(f"region {region!r} lies outside profile {name}: one of {allowed}")
        home = next(one for one in _SETS.values() if region in one["regions"])
        chosen = replace(
            chosen,
            regions=frozenset({region}),
            jurisdiction=chosen.jurisdiction & frozenset(home["regions"]),
            partition=home.get("partition"),
            dns_suffix=home.get("dns-suffix"),
            universe=home.get("universe"),
        )
    return replace(chosen, registry=registry or chosen.registry, stores=stores or chosen.stores)


def _at_site(chosen: Profile, site: str | None, country: str) -> Profile:
    allowed = ALL_COUNTRIES if chosen.countries is None else chosen.countries
    if country not in allowed:
        words = ", ".join(sorted(allowed)) if chosen.countries else "a code of ISO 3166-1 alpha-2"
        raise ValueError(f"country {country!r} lies outside profile {chosen.name}: one of {words}")
    if site is None:
        raise ValueError(f"country {country!r} without a site")
    if chosen.regions is None:
        return chosen
    return replace(chosen, regions=frozenset({site}), jurisdiction=frozenset())
