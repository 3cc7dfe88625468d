"""What runs is what the bundle brought."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import yaml

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import PROFILES, Profile
from corral.controls.properties import leaves

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PINNED = re.compile(rf"@({_DIGEST.pattern})(?![0-9a-f])")
_CHARTS = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart", "kubernetes:helm.sh/v3:Chart")
_LOCAL = re.compile(r"(?:\.{0,2}/|[A-Za-z]:\\|file://).*|[^:]*\.tgz")
_NAMES = ("image", "reference", "digest", "chart")
"""Last names of paths that have an image or a chart."""


def parse_lock(text: str) -> frozenset[str]:
    """What `lock.yaml` of a bundle locks: each digest, and `chart NAME VERSION` of each chart with one.

    Raises:
        ValueError: the text is no lock of a bundle.
    """
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {error}") from error
    lock: Mapping[str, Any] = cast(Any, document) if isinstance(document, Mapping) else {}
    if not {"images", "charts"} <= set(lock):
        raise ValueError("no lock of a bundle: `images` and `charts` are missing; write it by corral bundle")
    locked = {str(one["digest"]) for key in ("images", "charts") for one in lock[key] or ()}
    for one in lock["charts"] or ():
        if _DIGEST.fullmatch(str(one["digest"])):
            name, _, version = str(one["source"]).rpartition("/")[2].partition(":")
            locked.add(f"chart {name} {version}")
    return frozenset(one for one in locked if one.startswith("chart ") or _DIGEST.fullmatch(one))


def _brought(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.locked is None:
        return
    unknown = ""
    for path, value in leaves(subject):
        if value is UNKNOWN:
            unknown = path if path.rpartition(".")[2] in _NAMES else unknown
            continue
        for digest in _digests(path, str(value)):
            if digest not in profile.locked:
                yield f"`{path}` has {digest}, which the lock of the bundle lacks"
    if subject.type in _CHARTS:
        yield from _chart(subject, profile.locked)
    if unknown:
        raise Undecided(f"`{unknown}` is not known yet")


def _digests(path: str, text: str) -> list[str]:
    """Digests of what is pulled: those of references, and of a key for one alone."""
    alone = "digest" in path.rpartition(".")[2].lower() and _DIGEST.fullmatch(text)
    return [text] if alone else _PINNED.findall(text)


def _chart(subject: Resource, locked: frozenset[str]) -> Iterator[str]:
    chart = str(subject.value("chart", ""))
    if not chart or _LOCAL.fullmatch(chart) or "@sha256:" in chart:
        return
    named = f"chart {chart.rstrip('/').rpartition('/')[2]} {subject.value('version')}"
    if named not in locked:
        yield f"{named} is not in the lock of the bundle"


_IN, _OUT = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
LOCKED = replace(PROFILES["air-gapped"], locked=frozenset({_IN, "chart kyverno 3.9.0"}))
"""A profile with a lock, for cases."""


def _pod(*images: Any, **spec: Any) -> Resource:
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    return Resource("kubernetes:core/v1:Pod", "p", {"spec": {"containers": containers, **spec}})


def _release(chart: Any, **props: Any) -> Resource:
    return Resource(_CHARTS[0], "r", {"chart": chart, **props})


def _case(title: str, verdict: Verdict, subject: Resource, profile: str = "locked") -> Case:
    return Case(title, verdict, subject, profile=profile)


CONTROL = Control(
    id="SOV-OFF-02",
    title="What runs is what the bundle brought",
    severity=Severity.HIGH,
    sources=("SOV-5",),
    remedy="Write the lock anew by `corral bundle`, carry what it adds, and name it in `corral:lock`.",
    rule=ResourceRule(lambda token: token.startswith("kubernetes:"), _brought),
    not_enforced=(
        "without `corral:lock`, the path of the bundle's lock.yaml, nothing is compared. What has no digest "
        "is for SOV-SUP-02 and SOV-SUP-05; models are compared file by file when they are imported, and "
        "plugins of the engine are there before the pack runs, so neither is compared here",
    ),
    cases=(
        _case("an image of the lock", Verdict.GOOD, _pod(f"registry.example.eu/a@{_IN}")),
        _case("an image that it lacks", Verdict.BAD, _pod(f"registry.example.eu/a@{_OUT}")),
        _case("one of two", Verdict.BAD, _pod(f"a/b@{_IN}", f"a/b:v1@{_OUT}")),
        _case(
            "in an image volume",
            Verdict.BAD,
            _pod(f"a/b@{_IN}", volumes=[{"name": "m", "image": {"reference": f"a/m@{_OUT}"}}]),
        ),
        _case("without digest, which is another's to say", Verdict.GOOD, _pod("a/b:v1")),
        _case(
            "a checksum of what is not pulled",
            Verdict.GOOD,
            Resource("kubernetes:core/v1:ConfigMap", "c", {"data": {"rules": _OUT}}),
        ),
        _case("in an argument", Verdict.BAD, _pod(f"a/b@{_IN}", nodeName=f"--runner=a/c:v1@{_OUT} --x")),
        _case(
            "a chart of the lock",
            Verdict.GOOD,
            _release("oci://r.example.eu/charts/kyverno", version="3.9.0"),
        ),
        _case("another version", Verdict.BAD, _release("oci://r.example.eu/charts/kyverno", version="3.9.1")),
        _case("a chart by its digest", Verdict.GOOD, _release(f"oci://r.example.eu/charts/kyverno@{_IN}")),
        _case(
            "a chart by another digest", Verdict.BAD, _release(f"oci://r.example.eu/charts/kyverno@{_OUT}")
        ),
        _case(
            "a digest among the values of a chart",
            Verdict.BAD,
            _release("./charts/kyverno", values={"image": {"repository": "a/b", "digest": _OUT}}),
        ),
        _case("a folder", Verdict.GOOD, _release("./charts/kyverno")),
        _case("not known yet", Verdict.UNDECIDED, _pod(UNKNOWN)),
        _case("no lock named", Verdict.GOOD, _pod(f"a/b@{_OUT}"), "air-gapped"),
    ),
)
