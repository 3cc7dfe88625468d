"""What somebody edited by hand of the workloads and rights that a Helm release states.

A field that its release does not state is nobody's to judge: the server fills it in, or a webhook does. So
is the number of replicas here, which `drift` compares.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

from corral.catalogue.quantities import amount
from corral.embedded.engine.changes import CHANGED, Change, PropertyChange
from corral.embedded.engine.drift import DIVIDER, Kubectl, served
from corral.embedded.kube import Object, Objects
from corral.embedded.objects import child, children

WORKLOAD, BINDING, RIGHTS = ("spec",), ("roleRef", "subjects"), ("rules",)
COMPARED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Deployment": ("deployments.apps", WORKLOAD),
    "StatefulSet": ("statefulsets.apps", WORKLOAD),
    "DaemonSet": ("daemonsets.apps", WORKLOAD),
    "Role": ("roles.rbac.authorization.k8s.io", RIGHTS),
    "ClusterRole": ("clusterroles.rbac.authorization.k8s.io", RIGHTS),
    "RoleBinding": ("rolebindings.rbac.authorization.k8s.io", BINDING),
    "ClusterRoleBinding": ("clusterrolebindings.rbac.authorization.k8s.io", BINDING),
}
"""Kinds by name: as kubectl lists them, and parts of which every stated field is compared."""
KIND = re.compile(rf"^kind: ['\"]?({'|'.join(COMPARED)})['\"]?\s*$", re.MULTILINE)
REPLICAS = "spec.replicas"
VALUE = re.compile(r"\.env\[\d+\]\.value$")
HIDDEN = "[hidden]"
"""In place of a variable's value, which may be somebody's password."""
Place = tuple[str, str, str]
"""Kind, namespace and name."""


def changes(kubectl: Kubectl, releases: Objects) -> Iterator[Change]:
    """Edits of objects of `releases`, as `drift.contents` has them; not what is missing.

    Raises:
        Unreadable: the cluster does not answer, or refuses.
    """
    stated = {place: one for release in releases for place, one in _stated(release)}
    if not stated:
        return
    live = _live(kubectl)
    for place, one in stated.items():
        now = live.get(place)
        # Of an aggregated role a controller states the rules.
        if now is None or "aggregationRule" in one:
            continue
        properties = tuple(
            change
            for part in COMPARED[place[0]][1]
            for change in differing(one.get(part), now.get(part), part)
            if change.path != REPLICAS
        )
        if properties:
            name = "/".join(filter(None, place[1:]))
            yield Change(CHANGED, f"kubernetes:{one['apiVersion']}:{place[0]}", name, "", properties)


def differing(stated: object, now: object, path: str) -> Iterator[PropertyChange]:
    """Fields of `stated` that are otherwise in `now`, which may have more.

    What is empty or false may be absent. Objects of a list that have a name are compared by it, and a webhook
    may have added some; other lists are compared as they are.
    """
    if isinstance(stated, Mapping) and isinstance(now, Mapping):
        there = cast("Mapping[str, object]", now)
        for key, one in cast("Mapping[str, object]", stated).items():
            yield from differing(one, there.get(key), f"{path}.{key}")
    elif isinstance(stated, list) and isinstance(now, list):
        yield from _lists(cast("list[object]", stated), cast("list[object]", now), path)
    else:
        yield from _values(cast(object, stated), now, path)


def _values(stated: object, now: object, path: str) -> Iterator[PropertyChange]:
    if _same(stated, now) or (not stated and now is None):
        return
    hidden = VALUE.search(path) is not None
    yield PropertyChange(path, HIDDEN if hidden else stated, HIDDEN if hidden else now)


def _lists(stated: list[object], now: list[object], path: str) -> Iterator[PropertyChange]:
    names = [_name(one) for one in stated]
    if all(names) and len(set(names)) == len(names):
        there = {_name(one): one for one in now}
        for index, (name, one) in enumerate(zip(names, stated, strict=True)):
            yield from differing(one, there.get(name), f"{path}[{index}]")
    elif len(stated) == len(now):
        for index, (one, other) in enumerate(zip(stated, now, strict=True)):
            yield from differing(one, other, f"{path}[{index}]")
    else:
        yield PropertyChange(path, stated, now)


def _name(one: object) -> str | None:
    return cast("Mapping[str, str]", one).get("name") if isinstance(one, Mapping) else None


def _same(stated: object, now: object) -> bool:
    if stated == now:
        return True
    if isinstance(stated, bool) or not isinstance(stated, str | int | float) or now is None:
        return False
    try:
        return amount(str(stated)) == amount(str(now))
    except ValueError:
        return str(stated) == str(now)


def _stated(content: Object) -> Iterator[tuple[Place, Object]]:
    space = str(content["namespace"])
    for text in DIVIDER.split(str(content["manifest"])):
        if KIND.search(text) is None:
            continue
        one = cast(Object, yaml.load(text, yaml.CSafeLoader))
        kind, metadata = str(one["kind"]), child(one, "metadata")
        inside = "" if kind.startswith("Cluster") else str(metadata.get("namespace") or space)
        yield (kind, inside, str(metadata["name"])), one


def _live(kubectl: Kubectl) -> dict[Place, Object]:
    resources = ",".join(resource for resource, _ in COMPARED.values())
    done = kubectl.run(["get", resources, "--all-namespaces", "--output=json"])
    listed: Any = json.loads(done.stdout) if served(done) else {}
    found: dict[Place, Object] = {}
    for one in children(listed, "items"):
        metadata = child(one, "metadata")
        found[str(one["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"])] = one
    return found
