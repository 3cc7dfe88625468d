"""Every image is pinned by digest."""

import re

from corral.catalogue.images import image, images, mirrored
from corral.controls.cel import text
from corral.controls.control import Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.supply.subjects import HEX, pod

TAG = r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DRIVER = image("gpu-driver")
_NOTHING = "^$"
_PINNED = (
    "([i.split('@')].all(p, size(p) == 2 && size(p[1]) == 71) && i.matches('^[^@ ]+@sha256:[a-f0-9]+$'))"
)
"""CEL: whether image `i` has a digest; a count in a regular expression makes it slow."""


def unpinnable(profile: Profile) -> str:
    """Regular expression (RE2) of the catalogue's images that have no digest beforehand, by tag.

    Each is a named exception: the catalogue says why no registry can give its digest.
    """
    names = [
        re.escape(mirrored(entry.repository, profile.registry))
        for entry in images().values()
        if entry.unresolvable is not None
    ]
    return f"^({'|'.join(sorted(names))}){TAG}$".replace(r"\-", "-") if names else _NOTHING


CONTROL = Control(
    id="SOV-SUP-02",
    title="Every image is pinned by digest",
    severity=Severity.HIGH,
    sources=("SLSA", "SOV-5"),
    remedy="Run `corral lock` and deploy what it resolved.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {"unpinnable": text(unpinnable(profile))},
        expression=(f"variables.images.all(i, {_PINNED} || i.matches(variables.unpinnable))"),
        message="an image is not pinned by digest",
    ),
    cases=(
        Case("pinned", Verdict.GOOD, pod(f"a/b@sha256:{HEX}")),
        Case("pinned, tag kept", Verdict.GOOD, pod(f"a/b:v1@sha256:{HEX}")),
        Case("compiled per kernel", Verdict.GOOD, pod(f"{_DRIVER.repository}:{_DRIVER.tag}-ubuntu24.04")),
        Case("of a longer name than one of these", Verdict.BAD, pod(f"{_DRIVER.repository}-x:1")),
        Case("without tag, compiled per kernel", Verdict.BAD, pod(_DRIVER.repository)),
        Case("by tag", Verdict.BAD, pod("a/b:v1")),
        Case("a short digest", Verdict.BAD, pod("a/b@sha256:abc")),
        Case("another algorithm", Verdict.BAD, pod(f"a/b@md5:{HEX}")),
        Case(
            "a sidecar by tag",
            Verdict.BAD,
            pod(f"a/b@sha256:{HEX}", initContainers=[{"name": "s", "image": "a/b:v1"}]),
        ),
        Case(
            "a debug container",
            Verdict.BAD,
            pod(f"a/b@sha256:{HEX}", ephemeralContainers=[{"name": "d", "image": "a/b"}]),
        ),
        Case(
            "a deployment's template",
            Verdict.BAD,
            {"kind": "Deployment", "spec": {"template": pod("a/b:v1")}},
        ),
        Case(
            "a cron job's template",
            Verdict.BAD,
            {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": pod("a/b:v1")}}}},
        ),
    ),
)
