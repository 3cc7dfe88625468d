"""A sample of the generated objects as an API server takes them, and what the pack says of each."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from tests.controls.same_verdict.generated import object_controls, subjects

from corral.controls.cel import prepared
from corral.controls.control import Control, ObjectRule
from corral.controls.enforcement import stops
from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import Profile

KINDS = (
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicationController",
    "Job",
    "CronJob",
)
"""Not ReplicaSet: the filters that Kyverno comes with leave it out, and evaluate its pods."""
LABELS = {"app": "tried"}


def sample(limits: Profile, image: str, count: int) -> list[dict[str, Any]]:
    """`count` objects or fewer, half of them good and half bad, of every control that admission stops for.

    Containers get `image`, unless the control is about images.
    """
    made: list[dict[str, Any]] = []
    enforced = [one for one in object_controls() if _admitted(one) and stops(one, limits)]
    share = max(1, count // (2 * len(enforced)))
    for control in enforced:
        forced = not control.id.startswith("SOV-SUP-0")
        several = [
            whole(one.object, image, forced=forced) for one in subjects(control) if _creatable(one.object)
        ]
        for bad in (False, True):
            kept = [one for one in several if bool(evaluate_object(control, one, limits)) is bad]
            made.extend(kept[:: max(1, len(kept) // share)][:share])
    for index, one in enumerate(made):
        one["metadata"] = {**one["metadata"], "name": f"tried-{index}"}
    return made


def _admitted(control: Control) -> bool:
    """Whether admission evaluates it in any namespace in scope."""
    rule = control.rule
    return (
        isinstance(rule, ObjectRule)
        and rule.admitted
        and not rule.classified
        and set(KINDS) & set(rule.kinds) != set()
    )


def _creatable(subject: Mapping[str, Any]) -> bool:
    """Whether an API server creates such objects: containers of a debugger come to a pod that is there."""
    return subject["kind"] in KINDS and "ephemeralContainers" not in str(subject)


def whole(subject: Mapping[str, Any], image: str, *, forced: bool) -> dict[str, Any]:
    """`subject` with the fields that the API server demands; `forced`: with `image` in any case."""
    made = deepcopy(dict(subject))
    made["metadata"] = {**made["metadata"], "namespace": "default"}
    spec = made["spec"]
    if made["kind"] == "Pod":
        _pod(spec, image, "Always", forced)
        return made
    if made["kind"] == "CronJob":
        spec["schedule"] = "@yearly"
        spec = spec["jobTemplate"]["spec"]
    template = spec["template"]
    template["metadata"] = {**template.get("metadata", {}), "labels": LABELS}
    if made["kind"] in ("Job", "CronJob"):
        _pod(template["spec"], image, "Never", forced)
        return made
    _pod(template["spec"], image, "Always", forced)
    spec["selector"] = LABELS if made["kind"] == "ReplicationController" else {"matchLabels": LABELS}
    return made


def _pod(spec: dict[str, Any], image: str, restart: str, forced: bool) -> None:
    spec |= {"restartPolicy": restart, "serviceAccountName": "default"}
    for place in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(place, [])):
            container["name"] = f"{place[0]}{index}"
            if forced or "image" not in container:
                container["image"] = image


def refused(subject: Mapping[str, Any], limits: Profile) -> Iterator[str]:
    """IDs of the controls for which the pack, with the same rules, stops `subject`."""
    ready = prepared(subject)
    for control in object_controls():
        if _admitted(control) and stops(control, limits) and evaluate_object(control, ready, limits):
            yield control.id
