"""The constraints of the pack: from its own configuration, the stack's, or the strict default."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

from corral.catalogue.images import repository_of
from corral.catalogue.stores import bucket_uri
from corral.catalogue.vocabulary import StorageKind
from corral.controls.adjustments import adjusted
from corral.controls.budget import parse_budget
from corral.controls.exceptions import today
from corral.controls.models.sources import BUCKET, store
from corral.controls.portability.off_02 import parse_lock
from corral.controls.profiles import Profile, profile
from corral.policy.configured import OWN

EMBEDDED_REGION = "embedded"
"""Region of a stack that runs on this machine: it narrows nothing."""
STRICTEST_DEFAULT = "eu-resident"
"""Profile of a program that has no `corral:platform`: whoever imports a component gets a strict pack."""


def constraints_of(config: Mapping[str, str], day: date | None = None) -> Profile:
    """The profile that the pack's own configuration names, else `corral:platform` of the stack's, else the
    strict default, with the exceptions of the stack; `day`: by which these end, today's when absent.

    Raises:
        ValueError: an unknown profile, a region outside it, an exception that it does not take, a budget or
            a lock that is none.
    """
    platform = cast(Mapping[str, Any], json.loads(config.get("corral:platform") or "{}"))
    own = cast(Mapping[str, str], json.loads(config.get(OWN) or "{}"))
    section = {**cast(Mapping[str, Any], platform.get("sovereignty") or {}), **own}
    region, country = _place(section.get("region"))
    stored = cast(Mapping[str, str], platform.get("model-storage") or {})
    kind = next((one for one in StorageKind if one.value == stored.get("kind")), StorageKind.SEAWEEDFS)
    bucket = own.get("bucket", bucket_uri(kind, stored.get("bucket", BUCKET)))
    constraints = profile(
        section.get("profile", STRICTEST_DEFAULT),
        region=None if region == EMBEDDED_REGION else region,
        country=country,
        registry=section.get("registry"),
        stores=(store(bucket),) if platform or "bucket" in own else None,
    )
    constraints = replace(adjusted(constraints, section, day or today()), images=_images(platform))
    lock = own.get("lock") or config.get("corral:lock")
    if lock:
        constraints = replace(constraints, locked=_locked(Path(lock)))
    constraints = replace(constraints, kubernetes=_minor(own, platform))
    budget = cast(Mapping[str, Any] | None, platform.get("budget"))
    return constraints if budget is None else replace(constraints, budget=parse_budget(budget))


def _images(platform: Mapping[str, Any]) -> tuple[str, ...]:
    """Repositories of the images that the stack names itself."""
    stated = cast(Mapping[str, str], platform.get("images") or {})
    return tuple(sorted({repository_of(one) for one in stated.values()}))


_VERSION = re.compile(r"v?1\.([0-9]+)(?:[.+-].*)?")


def _minor(own: Mapping[str, str], platform: Mapping[str, Any]) -> int | None:
    """Minor version of the cluster's Kubernetes, where the pack's configuration or the stack's says which.

    Raises:
        ValueError: what is said is no version.
    """
    cluster = cast(Mapping[str, Any], platform.get("cluster") or {})
    stated = own.get("kubernetes") or cluster.get("kubernetes")
    if stated is None:
        return None
    match = _VERSION.fullmatch(str(stated))
    if match is None:
        raise ValueError(f"cluster.kubernetes: {stated!r} is no version of Kubernetes, such as 1.35")
    return int(match[1])


def _locked(path: Path) -> frozenset[str]:
    """What the lock of a bundle at `path` locks.

    Raises:
        ValueError: it cannot be read, or is none.
    """
    try:
        return parse_lock(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"corral:lock: {path}: {error}") from error


def _place(region: Any) -> tuple[str | None, str | None]:
    """Name and country of `sovereignty.region`; a region of a cloud has no country."""
    if not isinstance(region, Mapping):
        return region, None
    site = cast(Mapping[str, Any], region)
    if not isinstance(site.get("site"), str) or not isinstance(site.get("country"), str):
        raise ValueError("sovereignty.region: use the name of a region, or {country: DE, site: NAME}")
    return site["site"], site["country"]
