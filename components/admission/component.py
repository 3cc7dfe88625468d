"""Admission: the controls about Kubernetes objects, enforced by the API server and by Kyverno."""

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon, AdmissionScope
from corral.components._kit import (
    ArgsError,
    PodSecurity,
    PodSecurityWord,
    checked,
    child,
    prerequisite,
    refuse,
    token,
)
from corral.components._words import AdmissionScopeWord
from corral.components.admission.environment import forced
from corral.components.admission.guards import Guard, guards
from corral.components.admission.namespaces import default_deny, pod_security
from corral.components.admission.regions import regions
from corral.components.admission.render import (
    KYVERNO_API,
    NATIVE_API,
    PART_OF,
    kyverno_policy,
    native_binding,
    native_policy,
    object_rule,
    policy_name,
)
from corral.components.admission.signatures import ImageSignatures, attested, signed
from corral.controls.adjustments import adjusted
from corral.controls.audit.aud_07 import ENGINES
from corral.controls.control import Control
from corral.controls.enforcement import exceptions_of, stops
from corral.controls.exceptions import today
from corral.controls.models.mod_02 import OFFLINE
from corral.controls.models.sources import store
from corral.controls.profiles import Profile, profile
from corral.controls.register import control
from corral.controls.residency.res_06 import places
from corral.controls.scope import EXEMPT, Scope

_REGIONS = "SOV-RES-06"
_OFFLINE, _SILENT = "SOV-MOD-02", "SOV-AUD-07"
_SIGNED, _ATTESTED = "SOV-SUP-03", "SOV-SUP-04"
"""Controls for which admission has more than the policies of their rules."""
KYVERNO_NAMESPACE = descriptor(Addon.KYVERNO).namespace


class ExceptedControl(TypedDict):
    """A control that does not stop what it names, for a time."""

    control: str
    """ID of the control."""
    reason: str
    """Why, in ten characters or more."""
    approver: str
    """Who approved it."""
    expires: str
    """Last day on which it holds, in UTC, as YYYY-MM-DD; at most 90 days ahead."""
    resources: NotRequired[list[str]]
    """What it is for, as `NAMESPACE/NAME`, or `NAME` outside namespaces; `*` stands for any part of a name.
    Everything when omitted."""


class AdmissionArgs(TypedDict):
    """Which controls are enforced, and against which constraints."""

    controls: list[str]
    """IDs of controls about Kubernetes objects, such as `SOV-SUP-01`."""
    profile: str
    """Sovereignty profile whose constraints hold."""
    region: NotRequired[str]
    """Region that narrows the profile, or the site of one's own in `country`."""
    country: NotRequired[str]
    """Country of the site, as ISO 3166-1 alpha-2; when omitted `region` is a region of a cloud."""
    levels: NotRequired[dict[str, str]]
    """Controls that are enforced harder than the profile does, by ID: `mandatory` or `advisory`."""
    exceptions: NotRequired[list[ExceptedControl]]
    """Controls that do not stop what they name, each for a time."""
    registry: NotRequired[str]
    """Registry that images must come from; by default the catalogue's repositories."""
    images: NotRequired[list[str]]
    """Repositories of one's own that images may come from as well, such as
    `registry.example.eu/corral/tools`."""
    buckets: NotRequired[list[str]]
    """The platform's own buckets of models, such as `s3://models`, or a name of S3; a profile that keeps to
    regions lets models be served from these alone. When omitted, from any bucket."""
    native: NotRequired[bool]
    """Enforce as ValidatingAdmissionPolicy; true when omitted."""
    kyverno: NotRequired[bool]
    """Enforce as Kyverno ValidatingPolicy and deny traffic in new namespaces; true when omitted."""
    scope: NotRequired[AdmissionScopeWord]
    """`namespaces`: those with the label `corral.dev/policies: enforced`; `cluster`: all but the exempt ones.
    `namespaces` when omitted."""
    exempt_namespaces: NotRequired[list[str]]
    """Namespaces without policies where the scope is the cluster, beside `kube-system`."""
    pod_security: NotRequired[PodSecurityWord]
    """Pod Security level of namespaces in scope that name none; when omitted they get none."""
    own_serving: NotRequired[bool]
    """Whether KServe is this platform's, so that its objects outside namespaces are in scope; true when
    omitted."""
    signatures: NotRequired[ImageSignatures]
    """Whose signatures images must bear, as Kyverno verifies them; where the profile does not stop for
    SOV-SUP-03 or SOV-SUP-04, what lacks them is reported. When omitted no image is verified."""
    kyverno_types: NotRequired[pulumi.Input[str]]
    """`Kyverno.namespace`, where this program makes it; its policy types must be there already when
    omitted."""
    kyverno_namespace: NotRequired[str]
    """Where Kyverno runs; `kyverno` when omitted."""


class Admission(pulumi.ComponentResource):
    """Refuses what breaks a control, twice: natively, fail-closed and first; and by Kyverno.

    With `kyverno` Kyverno must be there, as component Kyverno makes it.
    """

    enforced: pulumi.Output[list[str]]
    """IDs of the controls in force."""

    def __init__(self, name: str, args: AdmissionArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, AdmissionArgs, name)
        refuse(_untrusting(name, args))
        constraints, chosen = _chosen(args, name)
        scope = _scope(args, name)
        super().__init__(token(type(self)), name, {}, opts)
        self._before: Sequence[pulumi.Resource] = ()
        if args.get("kyverno", True):
            # The native policies, too, come after Kyverno and go before it: they would hold for its objects.
            self._before = prerequisite(self, name, Addon.KYVERNO, args.get("kyverno_types"))
        own_serving = args.get("own_serving", True)
        level = PodSecurity(args["pod_security"]) if "pod_security" in args else None
        for rule in chosen:
            notes = "; ".join(one.note for one in exceptions_of(rule, constraints))
            if args.get("native", True):
                spec = native_policy(rule, constraints, scope, own_serving=own_serving)
                self._native(name, rule, spec, native_binding(rule, constraints), notes)
            if args.get("kyverno", True):
                spec = kyverno_policy(rule, constraints, scope, own_serving=own_serving)
                self._kyverno(name, rule, spec, notes)
        if args.get("native", True):
            for guard in guards(scope, level, args.get("kyverno_namespace", KYVERNO_NAMESPACE), constraints):
                self._guard(name, guard)
        if args.get("kyverno", True):
            self._namespaced(name, scope, level)
            stopping = {rule.id for rule in chosen if stops(rule, constraints)}
            if _REGIONS in stopping:
                self._placed(name, scope, constraints)
            self._told(name, scope, constraints, stopping)
            if "signatures" in args:
                self._verified(name, scope, args["signatures"], constraints)
        self.enforced = pulumi.Output.from_input([one.id for one in chosen])
        self.register_outputs({"enforced": self.enforced})

    def _object(self, logical: str, api: str, kind: str, metadata: Any, spec: Any, *after: Any) -> Any:
        return kubernetes.apiextensions.CustomResource(
            logical,
            api_version=api,
            kind=kind,
            metadata=metadata,
            spec=spec,
            opts=child(self, depends_on=[*self._before, *after]),
        )

    def _native(self, name: str, control: Control, spec: Any, binding: Any, notes: str) -> None:
        logical, metadata = f"{name}-{policy_name(control)}-native", _metadata(control, notes)
        policy = self._object(logical, NATIVE_API, "ValidatingAdmissionPolicy", metadata, spec)
        bound = f"{logical}-binding"
        self._object(bound, NATIVE_API, "ValidatingAdmissionPolicyBinding", metadata, binding, policy)

    def _kyverno(self, name: str, control: Control, spec: Any, notes: str) -> None:
        logical, metadata = f"{name}-{policy_name(control)}-kyverno", _metadata(control, notes)
        self._object(logical, KYVERNO_API, "ValidatingPolicy", metadata, spec)

    def _guard(self, name: str, guard: Guard) -> None:
        logical = f"{name}-{guard.name.removeprefix('corral-')}"
        metadata = {"name": guard.name, "labels": PART_OF}
        policy = self._object(logical, NATIVE_API, "ValidatingAdmissionPolicy", metadata, guard.policy)
        bound = f"{logical}-binding"
        self._object(bound, NATIVE_API, "ValidatingAdmissionPolicyBinding", metadata, guard.binding, policy)

    def _placed(self, name: str, scope: Scope, constraints: Profile) -> None:
        """Pods with classified data get the affinity that their control demands."""
        metadata = {**_metadata(control(_REGIONS), ""), "name": "corral-regions"}
        spec = regions(scope, places(constraints))
        self._object(f"{name}-regions", KYVERNO_API, "MutatingPolicy", metadata, spec)

    def _told(self, name: str, scope: Scope, constraints: Profile, stopping: Set[str]) -> None:
        """Containers are told what their controls demand."""
        for identity, names, literal in ((_OFFLINE, OFFLINE, False), (_SILENT, ENGINES, True)):
            if identity in stopping:
                one, excepted = control(identity), exceptions_of(control(identity), constraints)
                metadata = _metadata(one, "; ".join(exception.note for exception in excepted))
                spec = forced(scope, names, excepted, literal=literal)
                logical = f"{name}-{policy_name(one)}-environment"
                self._object(logical, KYVERNO_API, "MutatingPolicy", metadata, spec)

    def _verified(self, name: str, scope: Scope, trust: ImageSignatures, constraints: Profile) -> None:
        """Images are verified by whom the stack trusts."""
        rules = {_SIGNED: signed, **({_ATTESTED: attested} if trust.get("attestations", True) else {})}
        for identity, render in rules.items():
            one = control(identity)
            logical, metadata = f"{name}-{policy_name(one)}-images", _metadata(one, "")
            spec = render(scope, trust, deny=stops(one, constraints))
            self._object(logical, KYVERNO_API, "ImageValidatingPolicy", metadata, spec)

    def _namespaced(self, name: str, scope: Scope, level: PodSecurity | None) -> None:
        """What namespaces get when they come into scope."""
        metadata = {"name": "corral-default-deny", "labels": PART_OF}
        spec = default_deny(scope)
        self._object(f"{name}-default-deny", KYVERNO_API, "GeneratingPolicy", metadata, spec)
        if level is not None:
            metadata = {"name": "corral-pod-security", "labels": PART_OF}
            spec = pod_security(scope, level)
            self._object(f"{name}-pod-security", KYVERNO_API, "MutatingPolicy", metadata, spec)


def _untrusting(name: str, args: AdmissionArgs) -> list[str]:
    """What is wrong with the signatures."""
    trust = args.get("signatures")
    if trust is None:
        return []
    if not args.get("kyverno", True):
        return [f"{name}.signatures: Kyverno verifies them; leave them out, or `kyverno: False`"]
    if not trust.get("keys") and "sigstore" not in trust:
        return [f"{name}.signatures: name `keys`, `sigstore`, or both"]
    return []


def _scope(args: AdmissionArgs, owner: str) -> Scope:
    if AdmissionScope(args.get("scope", AdmissionScope.NAMESPACES)) is AdmissionScope.CLUSTER:
        return Scope(tuple(args.get("exempt_namespaces", EXEMPT)))
    if args.get("exempt_namespaces"):
        refuse([f"{owner}.exempt_namespaces: they need scope 'cluster'; leave them out, or add it"])
    return Scope()


def _chosen(args: AdmissionArgs, owner: str) -> tuple[Profile, list[Control]]:
    try:
        constraints = profile(
            args["profile"],
            region=args.get("region"),
            country=args.get("country"),
            registry=args.get("registry"),
            stores=tuple(store(bucket) for bucket in args.get("buckets", [])) or None,
        )
        adjustments = {"controls": args.get("levels", {}), "exceptions": args.get("exceptions", [])}
        constraints = adjusted(constraints, adjustments, today())
        constraints = replace(constraints, images=tuple(args.get("images", [])))
        chosen = [control(identity) for identity in args["controls"]]
        for one in chosen:
            object_rule(one)
    except ValueError as error:
        path = str(error).removeprefix("sovereignty.")
        raise ArgsError(f"{owner}: {error}" if path == str(error) else f"{owner}.{path}") from error
    return constraints, chosen


def _metadata(control: Control, exceptions: str) -> dict[str, Any]:
    return {
        "name": policy_name(control),
        "labels": PART_OF,
        "annotations": {
            "corral.dev/control": control.id,
            "corral.dev/title": control.title,
            "corral.dev/severity": control.severity.value,
            "corral.dev/remedy": control.remedy,
            **({"corral.dev/exceptions": exceptions} if exceptions else {}),
        },
    }
