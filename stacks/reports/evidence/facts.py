"""What evidence says, in plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, unique

from corral.controls.stamp import Stamp


@unique
class ControlVerdict(StrEnum):
    """What is known about a control."""

    HELD = "held"
    """Resources were evaluated, and none violates it."""
    VIOLATED = "violated"
    REPORTED = "reported"
    """Violated, and the profile only reports it."""
    EXCEPTED = "excepted"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not applicable"
    """The stack has no resource that it is about."""
    NOT_DEMANDED = "not demanded"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class ControlEvidence:
    """One control."""

    id: str
    title: str
    severity: str
    level: str
    """What a violation does under the profile of the stack."""
    verdict: ControlVerdict
    rule: str
    """Version of its rule: `sha256:…` of its file; empty for what is evaluated of files."""
    enforced: tuple[str, ...]
    """Where it is enforced, as far as stack file and state show it."""
    sources: tuple[str, ...]
    evaluated: tuple[str, ...] = ()
    """URNs of the resources that it is about."""
    violated: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExceptionEvidence:
    """A control that does not stop what it names, until its date."""

    control: str
    reason: str
    approver: str
    expires: date
    resources: tuple[str, ...]


@dataclass(frozen=True)
class Artifact:
    """A chart or image that the stack installs."""

    name: str
    version: str
    reference: str
    digest: str
    """`sha256:…`, or `unresolved`."""
    note: str = ""


@dataclass(frozen=True)
class LockedFile:
    """A file of a model."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class LockedModel:
    """A model or adapter that the stack serves."""

    name: str
    model: str
    source: str
    license: str
    weights: str
    """`real` or `simulated`."""
    revision: str
    """What pins its content at the source, or `unresolved`."""
    files: tuple[LockedFile, ...]
    """Empty: not locked."""
    adapter_of: str | None = None
    """Model that it is a LoRA adapter of, by its name here; None: it is no adapter."""


@dataclass(frozen=True)
class StateFacts:
    """The exported state."""

    resources: int
    updated: str
    """When the engine wrote it last."""
    pending: int
    """Operations that were under way, so that it may not be what is there."""


@dataclass(frozen=True)
class Evidence:
    """Everything."""

    stack: str
    made: str
    """When, in UTC; all else is the same for the same stack file, state and version."""
    corral: str
    profile: str
    region: str
    country: str | None
    summary: str
    """What the profile is for."""
    run: Stamp | None
    """What the policy pack left with the last deployment; None: it did not run."""
    rules: str
    """`sha256:…` of the rules that this evidence was made with."""
    state: StateFacts
    controls: tuple[ControlEvidence, ...]
    other_findings: tuple[str, ...]
    """What policies that are of no single control found, with the resource."""
    exceptions: tuple[ExceptionEvidence, ...]
    charts: tuple[Artifact, ...]
    images: tuple[Artifact, ...]
    models: tuple[LockedModel, ...]
    frameworks: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Framework -> its reference -> controls that name it."""
    not_checked: tuple[str, ...]
    failures: tuple[str, ...]
    """Why the gate fails; empty: it passes."""
