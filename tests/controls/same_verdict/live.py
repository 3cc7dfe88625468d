"""What a running API server, with its own policies and with Kyverno, says of generated objects.

Each object carries a label that the policies of its control alone select, so that a verdict is one control's.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.controls.same_verdict import evasions
from tests.controls.same_verdict.admissible import KINDS as BUILT_IN
from tests.controls.same_verdict.admissible import whole
from tests.controls.same_verdict.mutated import Mutated, mutations

from corral.components.admission.render import (
    KYVERNO_API,
    NATIVE_API,
    kyverno_policy,
    native_binding,
    native_policy,
)
from corral.controls.control import Control, ObjectRule, Verdict
from corral.controls.kinds import KINDS
from corral.controls.profiles import Profile
from corral.controls.register import CONTROLS
from corral.controls.scope import Scope
from corral.embedded.kube import Api, ApiError, resource

NAMESPACE = "verdicts"
NATIVE, KYVERNO = "API server", "Kyverno"
LABELS = {NATIVE: "verdicts.test/native", KYVERNO: "verdicts.test/kyverno"}
IMAGE = "registry.example.eu/tried:1"
AT_ONCE = 8
"""Requests at a time."""
FILLED = {("SOV-POD-07", "InferenceService", ("requests",))}
FILLED_NOTE = "which KServe's own webhook fills in"
"""What a webhook of KServe has given an object before policies see it, as its control says."""
FILTERED = ("ReplicaSet",)
"""Kinds that Kyverno's own filters leave out; it evaluates their pods."""


@dataclass(frozen=True)
class Tried:
    """One object with the verdict that it must get."""

    policy: str
    """Name of the policy of its control under its profile."""
    title: str
    stops: bool
    subject: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the API server said: a refusal by whom, or none."""

    tried: Tried
    refused: bool
    said: str

    @property
    def compared(self) -> bool:
        """Whether the object came as far as the policies."""
        return not self.said or self.refused

    @property
    def wrong(self) -> bool:
        return self.compared and self.refused is not self.tried.stops


def admitted() -> list[Control]:
    """Controls that admission holds."""
    return [one for one in CONTROLS if isinstance(one.rule, ObjectRule) and one.rule.admitted]


def name(one: Mutated) -> str:
    """Name of the policy of a control under a profile, and with stores or without."""
    return f"{one.control.lower()}-{one.profile}{'-stores' if one.stores else ''}"


@cache
def objects(*, every: bool = False) -> tuple[tuple[Mutated, Tried], ...]:
    """Every mutation as it is, and every way to write each control's first good and first bad pod; `every`:
    each way to write each."""
    made: list[tuple[Mutated, Tried]] = []
    for control in admitted():
        assert isinstance(control.rule, ObjectRule)
        thorough = {Verdict.GOOD, Verdict.BAD}
        for one in mutations(control.id):
            for index, (way, subject) in enumerate(evasions.objects(one, control.rule.kinds)):
                if (one.control, subject["kind"], one.changed[-1:]) in FILLED:
                    assert any(FILLED_NOTE in note for note in control.not_enforced)
                    continue
                if (every or index == 0 or one.verdict in thorough) and not _resourced_debugger(subject):
                    stops = one.verdict is Verdict.BAD and not one.unseen
                    title = f"{control.id}: {one.title}, {way}"
                    made.append((one, Tried(name(one), title, stops, creatable(subject))))
            if one.object and one.subject["kind"] == "Pod" and (one.changed or one.verdict is Verdict.GOOD):
                thorough -= {one.verdict}
    return tuple(made)


def _resourced_debugger(subject: Mapping[str, Any]) -> bool:
    """Whether a debugger's container has what the API server takes of no such container."""
    spec = subject.get("spec", {})
    return any({"resources", "ports"} & one.keys() for one in spec.get("ephemeralContainers", ()))


def creatable(subject: Mapping[str, Any]) -> dict[str, Any]:
    """`subject` with what the API server demands beside."""
    kind = KINDS[subject["kind"]]
    if kind.kind in BUILT_IN or kind.kind == "ReplicaSet":
        made = whole(subject, IMAGE, forced=False)
    else:
        made = {**subject, "metadata": {**subject["metadata"]}}
    made["apiVersion"] = kind.api_version
    made["metadata"].pop("namespace", None)
    if kind.namespaced:
        made["metadata"]["namespace"] = NAMESPACE
    return made


def policies(net: str, limits: Mapping[str, tuple[Control, Profile]]) -> Iterator[dict[str, Any]]:
    """Policies of a net, each for the objects that carry its name."""
    for key, (control, profile) in limits.items():
        chosen = {"objectSelector": {"matchLabels": {LABELS[net]: key}}}
        metadata = {"name": f"verdicts-{key}"}
        if net == KYVERNO:
            spec = kyverno_policy(control, profile, Scope(()), own_serving=True)
            spec["matchConstraints"] = {**spec["matchConstraints"], **chosen}
            yield {"apiVersion": KYVERNO_API, "kind": "ValidatingPolicy", "metadata": metadata, "spec": spec}
            continue
        spec = native_policy(control, profile, Scope(()), own_serving=True)
        spec["matchConstraints"] = {**spec["matchConstraints"], **chosen}
        binding = {**native_binding(control, profile), "policyName": metadata["name"]}
        for kind, content in (("Policy", spec), ("PolicyBinding", binding)):
            kind = f"ValidatingAdmission{kind}"
            yield {"apiVersion": NATIVE_API, "kind": kind, "metadata": metadata, "spec": content}


def answers(kubeconfig: Path, net: str, several: Sequence[Tried]) -> list[Answer]:
    """What is said of each object when it would be created; nothing is stored."""
    return asyncio.run(_answers(kubeconfig, net, several))


async def _answers(kubeconfig: Path, net: str, several: Sequence[Tried]) -> list[Answer]:
    kube = Api.connect(kubeconfig, user_agent="corral-tests")
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(one: Tried) -> Answer:
        async with turns:
            return await _asked(kube, net, one)

    try:
        return list(await asyncio.gather(*(ask(one) for one in several)))
    finally:
        await kube.aclose()


async def _asked(kube: Api, net: str, one: Tried) -> Answer:
    labels = {**(one.subject["metadata"].get("labels") or {}), LABELS[net]: one.policy}
    subject = {**one.subject, "metadata": {**one.subject["metadata"], "labels": labels}}
    kind = KINDS[subject["kind"]]
    debugging = subject["spec"].get("ephemeralContainers") if kind.kind == "Pod" else None
    space = NAMESPACE if kind.namespaced else None
    try:
        if debugging:
            await _debugged(kube, NAMESPACE, subject, debugging)
        else:
            await kube.create(resource(kind.api_version, kind.plural, space), subject, dryRun="All")
    except ApiError as error:
        return Answer(one, f"verdicts-{one.policy}" in error.message, error.message)
    return Answer(one, False, "")


async def _debugged(
    kube: Api, namespace: str, subject: Mapping[str, Any], debugging: Sequence[Mapping[str, Any]]
) -> None:
    """Adds a debugger's containers to a pod that is there and waits for a node that there is not."""
    spec = {key: value for key, value in subject["spec"].items() if key != "ephemeralContainers"}
    metadata = {
        "annotations": subject["metadata"].get("annotations", {}),
        "generateName": "debugged-",
        "labels": subject["metadata"].get("labels", {}),
        "namespace": namespace,
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {**spec, "schedulingGates": [{"name": "verdicts.test/never"}]},
    }
    made = await kube.create(resource("v1", "pods", namespace), pod)
    place = resource("v1", "pods", namespace, made["metadata"]["name"])
    try:
        made["spec"]["ephemeralContainers"] = [
            {
                **{key: value for key, value in one.items() if key != "name"},
                "name": f"d{index}",
            }
            for index, one in enumerate(debugging)
        ]
        await kube.replace(f"{place}/ephemeralcontainers", made, dryRun="All")
    finally:
        await kube.delete(place, {"gracePeriodSeconds": 0})


def resource_types(served: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Types without a schema for kinds of extensions that are not `served`, by `PLURAL.GROUP`."""
    for kind in {tried.subject["kind"]: None for _, tried in objects()}:
        known = KINDS[kind]
        full = f"{known.plural}.{known.group}"
        if "." not in known.group or full in served:
            continue
        loose = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        version = {"name": known.version, "served": True, "storage": True, "schema": loose}
        names = {"plural": known.plural, "kind": known.kind, "singular": known.kind.lower()}
        # The API server wants the consent of the community for groups below x-k8s.io.
        approval = {"api-approved.kubernetes.io": "unapproved, for tests"}
        yield {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": full, "annotations": approval},
            "spec": {
                "group": known.group,
                "names": {**names, "listKind": f"{known.kind}List"},
                "scope": "Namespaced" if known.namespaced else "Cluster",
                "versions": [version],
            },
        }


def violations(
    kubeconfig: Path, namespace: str, several: Iterable[tuple[str, bool, Mapping[str, Any]]]
) -> list[tuple[str, bool, str]]:
    """Name and expected verdict of each pod, with what a refusal says; a debugger's containers are added to a
    pod that is there."""

    async def ask() -> list[tuple[str, bool, str]]:
        kube = Api.connect(kubeconfig, user_agent="corral-tests")
        said: list[tuple[str, bool, str]] = []
        try:
            for title, stops, pod in several:
                said.append((title, stops, await _said(kube, namespace, pod)))
        finally:
            await kube.aclose()
        return said

    return asyncio.run(ask())


async def _said(kube: Api, namespace: str, pod: Mapping[str, Any]) -> str:
    debugging = pod["spec"].get("ephemeralContainers")
    metadata = {**pod["metadata"], "name": "tried", "namespace": namespace}
    try:
        if debugging:
            await _debugged(kube, namespace, {**pod, "metadata": metadata}, debugging)
        else:
            place = resource("v1", "pods", namespace)
            await kube.create(place, {**pod, "metadata": metadata}, dryRun="All")
    except ApiError as error:
        return error.message
    return ""
