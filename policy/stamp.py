"""The stamp of a run: what the policies said so far, put on the ConfigMap that the program made for it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pulumi_policy import EnforcementLevel, Policy, ResourceValidationArgs, ResourceValidationPolicy

from corral.controls.profiles import Profile
from corral.controls.stamp import CONFIG_MAP, LOOSENED, PASSED, VIOLATED, Stamp, has_stamp, rules_digest

STAMP = "evidence-of-the-run"
_CONTROL = re.compile(r"SOV-[A-Z]{3}-\d\d")
_WEIGHT = {
    EnforcementLevel.DISABLED: 0,
    EnforcementLevel.ADVISORY: 1,
    EnforcementLevel.MANDATORY: 2,
    EnforcementLevel.REMEDIATE: 3,
}

Finding = tuple[str, EnforcementLevel, str]
"""Name of a policy, its enforcement level, and its message."""


def control_of(policy: str, message: str) -> str:
    """ID of the control that a finding is about; the name of the policy where it is about none."""
    match = _CONTROL.fullmatch(policy.upper()) or _CONTROL.search(message)
    return match[0] if match else policy


class Ledger:
    """What the policies of a run said, by resource."""

    def __init__(self) -> None:
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self._loosened: tuple[str, ...] = ()

    def begin(self) -> None:
        """Forget what an earlier configuration of the pack led to."""
        self._findings.clear()
        self._loosened = ()

    def record(self, urn: str, findings: Iterable[Finding]) -> None:
        """Keep what the policies say of one resource, in place of what they said before."""
        self._findings[urn] = tuple(findings)

    def levels(self, in_force: Mapping[str, EnforcementLevel], policies: Iterable[Policy]) -> None:
        """Compare the levels that are in force with those that the policies have themselves."""
        self._loosened = tuple(
            sorted(
                one.name
                for one in policies
                if one.enforcement_level is not None
                and one.name in in_force
                and _WEIGHT[in_force[one.name]] < _WEIGHT[one.enforcement_level]
            )
        )

    def stamp(self, pack: str, constraints: Profile, excepted: str, undecided: str) -> Stamp:
        """The stamp so far; `excepted` and `undecided` are the policies that report such findings."""
        reported: Counter[str] = Counter()
        passing: Counter[str] = Counter()
        open_: Counter[str] = Counter()
        stopped = False
        for name, level, message in (one for several in self._findings.values() for one in several):
            stopped |= level is not EnforcementLevel.ADVISORY
            counter = passing if name == excepted else open_ if name == undecided else reported
            counter[control_of(name, message)] += 1
        verdict = VIOLATED if stopped else LOOSENED if self._loosened else PASSED
        return Stamp(
            pack,
            version("corral"),
            rules_digest(),
            constraints.name,
            verdict,
            reported,
            passing,
            open_,
            self._loosened,
        )


def stamping(ledger: Ledger, pack: str, constraints: Profile, excepted: str, undecided: str) -> Policy:
    """The policy that puts the stamp of `ledger` on the program's ConfigMap."""

    def remediate(args: ResourceValidationArgs) -> Any:
        if args.resource_type != CONFIG_MAP or not has_stamp(args.resource_type, args.props):
            return None
        data = ledger.stamp(pack, constraints, excepted, undecided).data
        return {**args.props, "data": data}

    return ResourceValidationPolicy(
        name=STAMP,
        description="The program's ConfigMap of evidence gets version and verdict of the pack.",
        enforcement_level=EnforcementLevel.REMEDIATE,
        remediate=remediate,
    )
