"""What an exported Pulumi state tells evidence: the stamp of the pack, and policies at admission."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from corral.controls.stamp import Stamp, has_stamp, parse_stamp
from corral.controls.workspace import HOSTED, PASSPHRASE, Workspace
from corral.stacks.reports.evidence.facts import StateFacts

CONTROL = "corral.dev/control"
"""Annotation of the objects of admission."""
NATIVE, KYVERNO = "kubernetes:admissionregistration.k8s.io/", "kubernetes:policies.kyverno.io/"


class NoState(Exception):
    """What was read is no exported state; the text says why."""


def resources_of(export: object) -> Sequence[Mapping[str, Any]]:
    """The resources of a state as `pulumi stack export` prints it.

    Raises:
        NoState: it is none.
    """
    if not isinstance(_field(export, "deployment"), Mapping):
        raise NoState("no state as `pulumi stack export` prints it: it has no mapping `deployment`")
    resources = _listed(export, "resources")
    for one in resources:
        if not isinstance(_field(one, "urn"), str) or not isinstance(_field(one, "type"), str):
            raise NoState("no state as `pulumi stack export` prints it: a resource has no urn or no type")
    return resources


def _listed(export: object, key: str) -> list[Any]:
    found = _field(export, "deployment", key)
    return cast("list[Any]", found) if isinstance(found, list) else []


def _field(holder: object, *keys: str) -> Any:
    for key in keys:
        holder = cast("Mapping[str, Any]", holder).get(key) if isinstance(holder, Mapping) else None
    return holder


def encrypts_between_nodes(export: object) -> bool:
    """Whether the state has a cluster that its cloud was told to encrypt between nodes of."""
    return any(
        _field(one, "outputs", "inTransitEncryptionConfig") == "IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT"
        for one in resources_of(export)
        if one["type"] == "gcp:container/cluster:Cluster"
    )


def facts_of(export: object) -> StateFacts:
    """Size and age of a state."""
    updated = _field(export, "deployment", "manifest", "time")
    pending = len(_listed(export, "pending_operations"))
    return StateFacts(len(resources_of(export)), str(updated or "unknown"), pending)


def workspace_of(stated: Workspace, export: object) -> Workspace:
    """`stated` by the files of the project, with what the state itself says of its secrets."""
    provider = _field(export, "deployment", "secrets_providers")
    match _field(provider, "type"):
        case "passphrase":
            return replace(stated, secrets_provider=PASSPHRASE)
        case "cloud":
            return replace(stated, secrets_provider=str(_field(provider, "state", "url")))
        case "service":
            return replace(stated, backend=f"https://{HOSTED[0]}")
        case _:
            return stated


def stamp_of(resources: Sequence[Mapping[str, Any]]) -> Stamp | None:
    """The stamp of the pack; None: it did not run."""
    for one in resources:
        inputs = _field(one, "inputs")
        if isinstance(inputs, Mapping) and has_stamp(one["type"], cast("Mapping[str, Any]", inputs)):
            data = _field(one, "inputs", "data")
            return parse_stamp(cast("Mapping[str, Any]", data)) if isinstance(data, Mapping) else None
    return None


def admission_of(resources: Sequence[Mapping[str, Any]]) -> Mapping[str, tuple[str, ...]]:
    """Control -> objects that enforce it at the API server, in words."""
    made: dict[str, list[str]] = defaultdict(list)
    for control, words in _admitted(resources):
        made[control].append(words)
    return {control: tuple(words) for control, words in made.items()}


def _admitted(resources: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for one in resources:
        kind, metadata = one["type"].rpartition(":")[2], _field(one, "inputs", "metadata")
        control = _field(metadata, "annotations", CONTROL)
        if control is None or kind.endswith("Binding") or not one["type"].startswith((NATIVE, KYVERNO)):
            continue
        where = "native admission" if one["type"].startswith(NATIVE) else "Kyverno"
        yield str(control), f"{where}: {kind} {_field(metadata, 'name')}"
