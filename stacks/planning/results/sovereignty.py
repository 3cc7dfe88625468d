"""What the profile demands, and how much of the stack has a digest."""

from dataclasses import dataclass
from datetime import date

from corral.catalogue.vocabulary import AdmissionScope, Profile
from corral.controls.levels import Level


@dataclass(frozen=True)
class ExceptionPlan:
    """A control that does not stop what it names, for a time."""

    control: str
    title: str
    """What the control holds to."""
    reason: str
    approver: str
    expires: date
    """Last day on which it holds, in UTC."""
    resources: tuple[str, ...]
    """What it is for; empty: everything."""
    days_left: int
    """Days from the plan's to the last."""
    ends_soon: bool


@dataclass(frozen=True)
class SigstorePlan:
    """A Sigstore of one's own."""

    issuer: str
    subject: str
    mirror: str
    """URL of its repository of roots."""
    root: str
    """The repository's first `root.json`, in base64."""


@dataclass(frozen=True)
class SignaturePlan:
    """Whose signatures images must bear."""

    keys: tuple[str, ...]
    """Public keys in PEM."""
    sigstore: SigstorePlan | None
    attestations: bool
    scan_days: int
    """Most days since the scan."""
    registry_ca: str | None
    """Authorities in PEM of the registry that signatures are read from; None: public ones."""


@dataclass(frozen=True)
class PolicyPlan:
    """What the profile demands; the controls take these as parameters."""

    profile: Profile
    regions: tuple[str, ...]
    """Allowed regions, or the site of one's own; empty: any."""
    digests_required: bool
    repositories: tuple[str, ...]
    """Image repositories (`host/path`) that the catalogue names, after mirroring."""
    source_schemes: tuple[str, ...]
    levels: tuple[tuple[str, Level], ...] = ()
    """(ID, level) of the controls that this stack enforces harder than its profile."""
    exceptions: tuple[ExceptionPlan, ...] = ()
    signatures: SignaturePlan | None = None
    """None: no image is verified."""


@dataclass(frozen=True)
class AdmissionPlan:
    """Where the policies at admission hold, and what namespaces get there."""

    enforced: bool
    """Whether this stack enforces them."""
    scope: AdmissionScope
    chosen: bool
    """Whether the stack file names the scope."""
    label: str
    """`key=value` of a namespace in scope."""
    exempt: tuple[str, ...]
    """Namespaces without policies, whatever their labels."""
    default_deny: bool
    """Whether a namespace that comes into scope is closed by a generated network policy."""
    pod_security: str | None
    """Pod Security level that a namespace in scope gets where it names none; None: none."""
    unlabelled: tuple[str, ...]
    """Namespaces of tenants that somebody else made, in scope once their owner labels them."""
    places: tuple[str, ...] = ()
    """Regions that nodes must be labelled with to take pods of tenants with classified data; empty: any."""


@dataclass(frozen=True)
class Digests:
    """How far the catalogue's images and charts are pinned by digest."""

    resolved: int
    unresolved: tuple[str, ...]
    """Names of what this plan uses and has no digest."""
    excepted: tuple[tuple[str, str], ...] = ()
    """(Name, why no registry can give its digest): named exceptions of SOV-SUP-02."""
