"""Images come with a bill of materials, provenance and a scan that is not old."""

from collections.abc import Iterator, Sequence
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.supply.image_policies import (
    BILL,
    PROVENANCE,
    SCAN,
    ageless,
    lacking,
    verifies_images,
)


def _attested(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if ageless(subject):
        yield "a scan of any age passes: no validation holds it against `time.now()`"
    several = [subject, *(one for one in others if verifies_images(one.type) and one.urn != subject.urn)]
    if missing := lacking(several):
        yield f"no policy of the stack has a signed {', no signed '.join(missing)} verified"


def _verified(name: str) -> str:
    return (
        f"images.containers.all(i, verifyAttestationSignatures(i, attestations.{name}, [attestors.own]) > 0)"
    )


_AGE = (
    "images.containers.all(i, time.now() - timestamp(extractPayload(i, attestations.scan)"
    ".predicate.metadata.scanFinishedOn) < duration('720h'))"
)
_TYPES = {"sbom": BILL, "provenance": PROVENANCE, "scan": SCAN}


def _policy(*names: str, more: Any = _AGE, types: Any = None, name: str = "p") -> Resource:
    stated = [{"name": one, "intoto": {"type": _TYPES[one]}} for one in names] if types is None else types
    checked = [{"expression": one} for one in (*map(_verified, names), more)]
    return Resource(
        "kubernetes:policies.kyverno.io/v1:ImageValidatingPolicy",
        name,
        {"spec": {"attestations": stated, "validations": checked}},
        urn=name,
    )


_ALL = ("sbom", "provenance", "scan")

CONTROL = Control(
    id="SOV-SUP-04",
    title="Who verifies images demands a bill of materials, provenance and a scan of late",
    severity=Severity.HIGH,
    sources=("SLSA", "SOV-5"),
    remedy="Leave `attestations` of `sovereignty.signatures` on; verify each, and bound the age of scans.",
    rule=StackRule(verifies_images, _attested),
    not_enforced=(
        "as SOV-SUP-03: a stack without `sovereignty.signatures` has no such policy. Kyverno 1.19.1 takes "
        "attestations that a key signed as Sigstore bundles alone, and of several scans the one that it "
        "read last counts",
    ),
    cases=(
        Case("all three", Verdict.GOOD, _policy(*_ALL)),
        Case(
            "all three by two policies",
            Verdict.GOOD,
            _policy("sbom", "provenance", more="true"),
            (_policy("scan", name="q"),),
        ),
        Case(
            "a bill of another form, as an artifact",
            Verdict.GOOD,
            _policy(
                *_ALL,
                types=[
                    {"name": "sbom", "referrer": {"type": "application/spdx+json"}},
                    {"name": "provenance", "intoto": {"type": "https://slsa.dev/provenance/v0.2"}},
                    {"name": "scan", "intoto": {"type": SCAN}},
                ],
            ),
        ),
        Case("no provenance", Verdict.BAD, _policy("sbom", "scan")),
        Case("signatures alone", Verdict.BAD, _policy(more="true")),
        Case("a scan of any age", Verdict.BAD, _policy(*_ALL, more="true")),
        Case(
            "named and never verified",
            Verdict.BAD,
            _policy(
                "sbom", "provenance", types=[{"name": one, "intoto": {"type": _TYPES[one]}} for one in _ALL]
            ),
        ),
        Case("not known yet", Verdict.UNDECIDED, _policy(*_ALL, more=UNKNOWN)),
    ),
)
