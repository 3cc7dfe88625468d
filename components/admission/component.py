"""Admission: the controls about Kubernetes objects, enforced by the API server and by Kyverno."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import ArgsError, checked, child, token
from corral.components.admission.render import (
    KYVERNO_API,
    NATIVE_API,
    PART_OF,
    default_deny,
    kyverno_policy,
    native_binding,
    native_policy,
    object_rule,
    policy_name,
)
from corral.controls.control import Control
from corral.controls.profiles import Profile, profile
from corral.controls.register import control

ALWAYS_EXEMPT = ("kube-system",)


class AdmissionArgs(TypedDict):
    """Which controls are enforced, and against which constraints."""

    controls: list[str]
    """IDs of controls about Kubernetes objects, such as `SOV-SUP-01`."""
    profile: str
    """Sovereignty profile whose constraints hold."""
    region: NotRequired[str]
    """Region that narrows the profile."""
    registry: NotRequired[str]
    """Registry that images must come from; by default the catalogue's repositories."""
    native: NotRequired[bool]
    """Enforce as ValidatingAdmissionPolicy; true when omitted."""
    kyverno: NotRequired[bool]
    """Enforce as Kyverno ValidatingPolicy and deny traffic in new namespaces; true when omitted."""
    exempt_namespaces: NotRequired[list[str]]
    """Namespaces that are not judged, beside `kube-system`."""


class Admission(pulumi.ComponentResource):
    """Refuses what breaks a control, twice: natively, fail-closed and first; and by Kyverno.

    Kyverno's side must be registered after the Kyverno component: give that as `depends_on`.
    """

    enforced: pulumi.Output[list[str]]
    """IDs of the controls in force."""

    def __init__(self, name: str, args: AdmissionArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, AdmissionArgs, name)
        constraints, chosen = _chosen(args, name)
        super().__init__(token(type(self)), name, {}, opts)
        exempt = [*ALWAYS_EXEMPT, *args.get("exempt_namespaces", [])]
        for found in chosen:
            if args.get("native", True):
                self._native(name, found, constraints, exempt)
            if args.get("kyverno", True):
                self._kyverno(name, found, constraints, exempt)
        if args.get("kyverno", True):
            self._generated(name)
        self.enforced = pulumi.Output.from_input([found.id for found in chosen])
        self.register_outputs({"enforced": self.enforced})

    def _native(self, name: str, found: Control, constraints: Profile, exempt: list[str]) -> None:
        policy = kubernetes.apiextensions.CustomResource(
            f"{name}-{policy_name(found)}-native",
            api_version=NATIVE_API,
            kind="ValidatingAdmissionPolicy",
            metadata=_metadata(policy_name(found), found),
            spec=native_policy(found, constraints, exempt),
            opts=child(self),
        )
        kubernetes.apiextensions.CustomResource(
            f"{name}-{policy_name(found)}-native-binding",
            api_version=NATIVE_API,
            kind="ValidatingAdmissionPolicyBinding",
            metadata=_metadata(policy_name(found), found),
            spec=native_binding(found, constraints),
            opts=child(self, depends_on=[policy]),
        )

    def _kyverno(self, name: str, found: Control, constraints: Profile, exempt: list[str]) -> None:
        kubernetes.apiextensions.CustomResource(
            f"{name}-{policy_name(found)}-kyverno",
            api_version=KYVERNO_API,
            kind="ValidatingPolicy",
            metadata=_metadata(policy_name(found), found),
            spec=kyverno_policy(found, constraints, exempt),
            opts=child(self),
        )

    def _generated(self, name: str) -> None:
        kubernetes.apiextensions.CustomResource(
            f"{name}-default-deny",
            api_version=KYVERNO_API,
            kind="GeneratingPolicy",
            metadata={"name": "corral-default-deny", "labels": PART_OF},
            spec=default_deny(),
            opts=child(self),
        )


def _chosen(args: AdmissionArgs, owner: str) -> tuple[Profile, list[Control]]:
    try:
        constraints = profile(args["profile"], region=args.get("region"), registry=args.get("registry"))
        chosen = [control(identity) for identity in args["controls"]]
        for found in chosen:
            object_rule(found)
    except ValueError as error:
        raise ArgsError(f"{owner}: {error}") from error
    return constraints, chosen


def _metadata(name: str, found: Control) -> dict[str, Any]:
    return {
        "name": name,
        "labels": PART_OF,
        "annotations": {
            "corral.dev/control": found.id,
            "corral.dev/title": found.title,
            "corral.dev/severity": found.severity.value,
            "corral.dev/remedy": found.remedy,
        },
    }
