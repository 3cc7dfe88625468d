"""Evaluation of a subject against a control, whatever shape its rule has."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corral.controls.cel import Prepared, prepared, violations
from corral.controls.conjunction import hold_together
from corral.controls.control import Control, ObjectRule, Resource, ResourceRule, Undecided
from corral.controls.profiles import Profile
from corral.controls.tasks import CLOUD
from corral.controls.workloads import PART


def applies(control: Control, token: str) -> bool:
    """Whether `control`, one about cloud resources, evaluates resources of type `token`."""
    return not isinstance(control.rule, ObjectRule) and control.rule.applies(token)


def evaluate_object(control: Control, subject: Mapping[str, Any] | Prepared, profile: Profile) -> list[str]:
    """Messages of what is wrong with Kubernetes object `subject`; none where nothing is.

    Raises:
        Undecided: it cannot be said before the update.
        ValueError: the rule could not run.
    """
    rule = control.rule
    if not isinstance(rule, ObjectRule):
        raise ValueError(f"{control.id} is not about Kubernetes objects")
    kind = subject.known.get("kind") if isinstance(subject, Prepared) else subject.get("kind")
    if kind not in rule.kinds:
        return []
    ready = subject if isinstance(subject, Prepared) else prepared(subject)
    if _left_out(rule, ready):
        return []
    return violations(rule, ready, profile)


def keeps_all(controls: Sequence[Control], subject: Prepared, profile: Profile) -> bool:
    """Whether Kubernetes object `subject` keeps to each of `controls` that is about its kind.

    False: one is broken, or undecided, or could not run; `evaluate_object` says of each.
    """
    kind = subject.known.get("kind")
    rules = tuple(
        rule
        for rule in (one.rule for one in controls)
        if isinstance(rule, ObjectRule) and kind in rule.kinds and not _left_out(rule, subject)
    )
    return hold_together(rules, subject, profile)


def _left_out(rule: ObjectRule, subject: Prepared) -> bool:
    """Whether `rule` is not about a subject that stands for a part of a pod, or for what a cloud runs."""
    stated = subject.known.get("apiVersion")
    return (rule.whole and stated == PART) or (stated == CLOUD and not rule.of_clouds)


def evaluate_resource(
    control: Control, subject: Resource, others: Sequence[Resource], profile: Profile
) -> list[str]:
    """Messages of what is wrong with `subject` among `others`; none where nothing is.

    Raises:
        Undecided: it cannot be said before the update.
    """
    rule = control.rule
    if isinstance(rule, ObjectRule):
        raise ValueError(f"{control.id} is about Kubernetes objects")
    if not rule.applies(subject.type):
        return []
    if isinstance(rule, ResourceRule):
        return _known_first(rule.check(subject, profile))
    return _known_first(rule.check(subject, others, profile))


def _known_first(raised: Iterator[str]) -> list[str]:
    """All messages; a violation stays one whatever an unknown value will be."""
    messages: list[str] = []
    try:
        messages.extend(raised)
    except Undecided:
        if not messages:
            raise
    return messages
