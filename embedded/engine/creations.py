"""Objects that an interrupted run was creating: what it made before it ended is the stack's.

Pulumi writes an object to its state when the cluster has answered. What a killed run had created by then is
there without the state's knowledge, and the next `up` would meet it as somebody else's.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from corral.embedded.engine.drift import Kubectl
from corral.embedded.engine.releases import TYPE as RELEASE
from corral.embedded.kube import Object
from corral.embedded.objects import at, child, children, title

PREFIX = "kubernetes:"
MANAGER = re.compile(r"pulumi-kubernetes-[0-9a-f]+")
"""What the provider calls itself in an object's fields, anew for each that it creates."""


def taken_over(state: Object, kubectl: Kubectl) -> Object | None:
    """An exported state with what was created, as the next refresh completes it; None: nothing was.

    An object whose fields have another manager of Pulumi's beside is left alone: it is another stack's.
    """
    deployment = child(state, "deployment")
    made = list(_made(deployment, kubectl))
    if not made:
        return None
    urns = {one["urn"] for one in made}
    pending = [
        one for one in children(deployment, "pending_operations") if one["resource"]["urn"] not in urns
    ]
    resources = [*children(deployment, "resources"), *made]
    return {**state, "deployment": {**deployment, "resources": resources, "pending_operations": pending}}


def _made(deployment: Object, kubectl: Kubectl) -> Iterator[dict[str, Any]]:
    known = {one["urn"] for one in children(deployment, "resources")}
    for operation in children(deployment, "pending_operations"):
        resource, kind = child(operation, "resource"), operation["type"]
        if kind != "creating" or resource["urn"] in known or not _one_object(resource):
            continue
        inputs = child(resource, "inputs")
        manager = _manager(inputs, kubectl) if isinstance(at(inputs, "metadata", "name"), str) else None
        if manager is not None:
            yield {**resource, "id": title(inputs), "outputs": {"__fieldManager": manager}}


def _one_object(resource: Object) -> bool:
    token = str(resource["type"])
    return token.startswith(PREFIX) and token != RELEASE and not token.endswith("Patch")


def _manager(inputs: Object, kubectl: Kubectl) -> str | None:
    """The one manager of Pulumi's that an object's fields have."""
    metadata = child(inputs, "metadata")
    group, _, version = str(inputs["apiVersion"]).rpartition("/")
    space = [f"--namespace={metadata['namespace']}"] if isinstance(metadata.get("namespace"), str) else []
    kind = f"{inputs['kind']}.{version}.{group}"
    options = ["--ignore-not-found", "--show-managed-fields", "--output=json"]
    done = kubectl.run(["get", kind, str(metadata["name"]), *space, *options])
    if done.returncode or not done.stdout.strip():
        return None
    fields = children(json.loads(done.stdout), "metadata", "managedFields")
    managers = {str(one.get("manager")) for one in fields}
    own = sorted(one for one in managers if MANAGER.fullmatch(one))
    return own[0] if len(own) == 1 else None
