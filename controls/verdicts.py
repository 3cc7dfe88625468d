"""What the policies of the pack say of each resource of a state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any


@unique
class Outcome(StrEnum):
    """What a finding means for a deployment."""

    VIOLATED = "violated"
    """It would have been stopped."""
    REPORTED = "reported"
    EXCEPTED = "excepted"
    UNDECIDED = "undecided"
    """A value that decides it is encrypted in the state, or a chart could not be rendered."""


@dataclass(frozen=True)
class Finding:
    """A finding about one resource; its message is left out, for it may quote what is sensitive."""

    control: str
    """ID of a control, or name of a policy that is of none."""
    urn: str
    outcome: Outcome


@dataclass(frozen=True)
class Evaluation:
    """The whole state."""

    evaluated: Mapping[str, Sequence[str]]
    """Control -> URNs of the resources that its rule is about."""
    findings: Sequence[Finding]

    @property
    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        findings = [
            {"control": one.control, "urn": one.urn, "outcome": one.outcome.value} for one in self.findings
        ]
        return {"evaluated": {key: list(urns) for key, urns in self.evaluated.items()}, "findings": findings}


def parse_evaluation(document: Mapping[str, Any]) -> Evaluation:
    """The inverse of `Evaluation.document`."""
    return Evaluation(
        {key: tuple(urns) for key, urns in document["evaluated"].items()},
        tuple(Finding(one["control"], one["urn"], Outcome(one["outcome"])) for one in document["findings"]),
    )
