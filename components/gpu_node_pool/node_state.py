"""What a node has before it is marked: labels and taints of others are neither changed nor removed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi

from corral.components.gpu_node_pool.node_labels import MIG_LABEL, TAINT

OURS = "pulumi-kubernetes"
"""Beginning of the names by which the provider writes; the rest is made up for each resource."""
OPERATOR_DEFAULT = (MIG_LABEL, "all-disabled")
"""What the GPU operator labels a node with that names no layout."""
BY_KUBERNETES = "node.kubernetes.io/"
"""Beginning of the keys of taints that come and go with the state of a node."""

Taint = tuple[str, str, str]


@dataclass(frozen=True)
class NodeState:
    """A node as it was read."""

    name: str
    labels: Mapping[str, str]
    managers: Mapping[str, frozenset[str]]
    """Who has set each label."""
    taints: Sequence[Taint]

    @staticmethod
    def of(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> "NodeState":
        """The node with these outputs of the provider."""
        managers: dict[str, set[str]] = {}
        for one in _entries(metadata, "managed_fields"):
            fields = cast("Mapping[str, Mapping[str, Mapping[str, object]]]", one.get("fields_v1") or {})
            for field in fields.get("f:metadata", {}).get("f:labels", {}):
                managers.setdefault(field.removeprefix("f:"), set()).add(str(one.get("manager")))
        return NodeState(
            str(metadata["name"]),
            cast("Mapping[str, str]", metadata.get("labels") or {}),
            {label: frozenset(names) for label, names in managers.items()},
            [
                (str(one["key"]), str(one.get("value") or ""), str(one["effect"]))
                for one in _entries(spec, "taints")
            ],
        )

    def free(self, pool: str, labels: Mapping[str, str]) -> str:
        """The node's name, when nobody else has set one of `labels` to another value.

        Raises:
            pulumi.RunError: somebody has; one line for each label.
        """
        problems = list(self._problems(pool, labels))
        if problems:
            raise pulumi.RunError("\n".join(problems))
        return self.name

    def _problems(self, pool: str, labels: Mapping[str, str]) -> Iterator[str]:
        for label, value in labels.items():
            there = self.labels.get(label)
            others = {one for one in self.managers.get(label, ()) if not one.startswith(OURS)}
            if there in (None, value) or (label, there) == OPERATOR_DEFAULT:
                continue
            if others or label not in self.managers:
                owner = ", ".join(sorted(others)) or "somebody else"
                yield (
                    f"node {self.name}: label {label} is {there!r} already, by {owner}; pool {pool} needs "
                    f"{value!r}: `kubectl label node {self.name} {label}-`, or leave the node out of the pool"
                )

    def tainted(self, about: pulumi.Resource) -> dict[str, Any]:
        """`spec` of the patch: our taint, or nothing where others have theirs, since taints are one value."""
        own = (TAINT["key"], TAINT["value"], TAINT["effect"])
        others = [one for one in self.taints if one != own and not one[0].startswith(BY_KUBERNETES)]
        if not others:
            return {"taints": [TAINT]}
        if own[0] not in {key for key, _, _ in self.taints}:
            written = ", ".join(f"{key}={value}:{effect}" for key, value, effect in others)
            pulumi.log.warn(
                f"node {self.name} keeps the taints of others, {written}, which pods of models do not bear; "
                f"ours is not added: `kubectl taint node {self.name} {own[0]}={own[1]}:{own[2]}`",
                about,
            )
        return {}


def _entries(state: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    return cast("Sequence[Mapping[str, Any]]", state.get(key) or [])
