"""Resources of providers that no control knows: named, and under a profile with regions stopped."""

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

from corral.controls.cloud import KNOWN
from corral.controls.profiles import Profile

NAME = "providers-are-known"
WITHOUT_PLACE = frozenset({"corral", "kubernetes", "pulumi", "random", "std", "time", "tls"})
"""Packages whose resources are evaluated as Kubernetes objects, or are nowhere."""
COMPOSED = frozenset({"awsx"})
"""Packages of components alone; what they are made of is evaluated."""


def known(token: str) -> bool:
    """Whether the controls evaluate resources of type `token`, or they are nowhere."""
    return token.partition(":")[0] in KNOWN | WITHOUT_PLACE | COMPOSED


def known_providers(constraints: Profile) -> Policy:
    """The policy that names what no control evaluates; it stops where the profile keeps to regions."""
    strict = constraints.regions is not None

    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        # What has no provider is a component; what it is made of is evaluated.
        if args.provider is None or known(args.resource_type):
            return
        name = args.resource_type.partition(":")[0]
        report(
            f"{args.name} ({args.resource_type}) is not evaluated: no control knows provider {name}, so "
            "nothing is said about where it is, or who reads it",
            None,
        )

    return ResourceValidationPolicy(
        name=NAME,
        description="A resource that no control knows may be anywhere; use a provider that the pack knows.",
        enforcement_level=EnforcementLevel.MANDATORY if strict else EnforcementLevel.ADVISORY,
        validate=check,
    )
