"""Every image comes from an allowed repository."""

import re

from corral.catalogue.images import image, images
from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.supply.subjects import HEX, pod

_TAG = r"(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?"
_DIGEST = r"(@sha256:[a-f0-9]+)?"
_LENGTHS = (
    "[i.split('@')].all(p, (size(p) == 1 || size(p[1]) == 71) && "
    "(p[0].lastIndexOf(':') < p[0].lastIndexOf('/') || size(p[0]) - p[0].lastIndexOf(':') <= 129))"
)
"""CEL: whether digest and tag of image `i` are as long as such are: counts make a regular expression slow."""
_COMPONENT = r"[a-z0-9]+([._-]+[a-z0-9]+)*"


def repositories() -> frozenset[str]:
    """Every spelling of every repository of the catalogue; Docker's own registry may go unnamed."""
    spelled: set[str] = set()
    for entry in images().values():
        full = entry.repository
        spelled.add(full)
        for prefix in ("docker.io/library/", "docker.io/"):
            if full.startswith(prefix):
                spelled.add(full.removeprefix(prefix))
                break
    return frozenset(spelled)


def allowed_image(profile: Profile) -> str:
    """Regular expression (RE2) that an image reference must match in full: parsed, never a prefix."""
    if profile.registry is not None:
        places = [re.escape(profile.registry.rstrip("/")) + f"(/{_COMPONENT})+"]
    else:
        places = [re.escape(name) for name in sorted(repositories())]
    where = "(" + "|".join([*places, *map(re.escape, profile.images)]) + ")"
    return f"^{where}{_TAG}{_DIGEST}$".replace(r"\-", "-")


_KNOWN = image("kserve-controller").repository


CONTROL = Control(
    id="SOV-SUP-01",
    title="Every image comes from an allowed repository",
    severity=Severity.CRITICAL,
    sources=("CIS EKS 5.1.4", "SOV-5"),
    remedy="Mirror the image into the stack's registry, or add its repository to the catalogue.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {"allowedImage": text(allowed_image(profile))},
        expression=f"variables.images.all(i, i.matches(variables.allowedImage) && {_LENGTHS})",
        message="an image comes from a repository that is not allowed",
    ),
    cases=(
        Case("of the catalogue", Verdict.GOOD, pod(f"{_KNOWN}:v1"), profile="open"),
        Case("of the catalogue, by digest", Verdict.GOOD, pod(f"{_KNOWN}@sha256:{HEX}"), profile="open"),
        Case("with the longest tag", Verdict.GOOD, pod(f"{_KNOWN}:{'v' * 128}@sha256:{HEX}"), profile="open"),
        Case("with a longer tag", Verdict.BAD, pod(f"{_KNOWN}:{'v' * 129}"), profile="open"),
        Case("with a shorter digest", Verdict.BAD, pod(f"{_KNOWN}@sha256:{HEX[1:]}"), profile="open"),
        Case("with a longer digest", Verdict.BAD, pod(f"{_KNOWN}:v1@sha256:{HEX}0"), profile="open"),
        Case("of nobody's", Verdict.BAD, pod("docker.io/library/busybox:1"), profile="open"),
        Case("a longer name", Verdict.BAD, pod(f"{_KNOWN}-evil:v1"), profile="open"),
        Case("a deeper name", Verdict.BAD, pod(f"{_KNOWN}/evil:v1"), profile="open"),
        Case("behind another host", Verdict.BAD, pod(f"evil.example/{_KNOWN}:v1"), profile="open"),
        Case("as user information", Verdict.BAD, pod(f"{_KNOWN}@evil.example/x:v1"), profile="open"),
        Case(
            "an init container",
            Verdict.BAD,
            pod(f"{_KNOWN}:v1", initContainers=[{"name": "i", "image": "evil.example/x"}]),
            profile="open",
        ),
        Case(
            "a transformer",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {}, "transformer": {"containers": [{"image": "evil.example/x"}]}},
            },
            profile="open",
        ),
        *(
            Case(
                f"{title} of an LLMInferenceService",
                Verdict.BAD,
                {"kind": "LLMInferenceService", "spec": spec},
                profile="open",
            )
            for title, spec in (
                ("the worker", {"worker": {"containers": [{"image": "evil.example/x"}]}}),
                ("the prefill", {"prefill": {"template": {"containers": [{"image": "evil.example/x"}]}}}),
            )
        ),
        Case(
            "an image volume",
            Verdict.BAD,
            pod(f"{_KNOWN}:v1", volumes=[{"name": "m", "image": {"reference": "evil.example/x"}}]),
            profile="open",
        ),
        *(
            Case(
                f"a proxy of {title} by annotation",
                verdict,
                {**pod(f"{_KNOWN}:v1"), "metadata": {"annotations": {"sidecar.istio.io/proxyImage": image_}}},
                profile="open",
            )
            for title, verdict, image_ in (
                ("nobody's", Verdict.BAD, "evil.example/x:1"),
                ("the catalogue", Verdict.GOOD, f"{_KNOWN}:v1"),
                ("the mesh's", Verdict.GOOD, "auto"),
            )
        ),
        Case(
            "a violation beside an unknown",
            Verdict.BAD,
            pod(UNKNOWN, "evil.example/x"),
            profile="open",
        ),
        Case("not known before the update", Verdict.UNDECIDED, pod(UNKNOWN), profile="open"),
    ),
)
