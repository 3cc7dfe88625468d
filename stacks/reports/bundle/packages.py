"""Python packages that a stack runs with: the program's own dependencies, as requirements.lock pins them."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from corral.stacks.reports.bundle.lock import PythonPackage

PINNED = re.compile(r"^(?P<name>[\w.-]+)(?:\[[\w,.-]*\])?==(?P<version>[^\s;\\]+)")
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")
BUILD = ("hatchling", "editables", "pip")
"""What installs the checkout without isolation."""


def packages(lock: str, roots: Iterable[str]) -> tuple[PythonPackage, ...]:
    """`roots` and all that they need on this platform; without hashes what `lock` lacks."""
    known = pins(lock)
    names = sorted(_closure([*roots, *(one for one in BUILD if one in known)]))
    return tuple(known.get(name) or PythonPackage(name, _version(name), ()) for name in names)


def pins(lock: str) -> Mapping[str, PythonPackage]:
    """Packages of a lock by canonical name."""
    made: dict[str, PythonPackage] = {}
    for block in re.split(r"\n(?=\S)", lock):
        if match := PINNED.match(block):
            name = canonicalize_name(match["name"])
            made[name] = PythonPackage(name, match["version"], tuple(HASH.findall(block)))
    return made


def _closure(roots: Iterable[str]) -> set[str]:
    """Canonical names of what is needed; extras of the requirements count, those of others do not."""
    seen: set[str] = set()
    queue = [Requirement(one) for one in roots]
    while queue:
        one = queue.pop()
        name = canonicalize_name(one.name)
        if name == "corral":
            needed = _requirements(one)
        elif f"{name}[{','.join(sorted(one.extras))}]" in seen:
            continue
        else:
            seen.add(f"{name}[{','.join(sorted(one.extras))}]")
            needed = _requirements(one)
        queue += needed
    return {one.partition("[")[0] for one in seen}


def _requirements(one: Requirement) -> list[Requirement]:
    try:
        stated = distribution(one.name).requires or []
    except PackageNotFoundError:
        return []
    parsed = [Requirement(each) for each in stated]
    return [each for each in parsed if _applies(each, one.extras)]


def _applies(one: Requirement, extras: Iterable[str]) -> bool:
    marker = one.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _version(name: str) -> str:
    try:
        return distribution(name).version
    except PackageNotFoundError:
        return "unknown"
