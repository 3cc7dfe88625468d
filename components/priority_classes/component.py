"""PriorityClasses: which pods of the platform wait first in line, and which nodes give up first.

No pod is preempted for the sake of one of a class above 0, the priority of pods that name no class, so that
nothing of somebody else's goes since the platform is there. A class below 0 gives way to everybody. None is
below -10, for the cluster autoscaler adds no node for such pods (`expendable-pods-priority-cutoff`).
"""

from typing import NamedTuple, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import Priority
from corral.components._kit import checked, child, labels, name_of, token

COMPONENT = "priority-classes"
BATCH = "batch"
"""Key of the class of imports and batches."""


class _Class(NamedTuple):
    value: int
    preempts: bool
    words: str


CLASSES = {
    Priority.HIGH.value: _Class(1000, False, "Models before others in line; they displace nobody."),
    Priority.NORMAL.value: _Class(0, True, "Models, like pods without a class; they displace those below."),
    Priority.LOW.value: _Class(-1, False, "Models that give way to all but imports and batches."),
    BATCH: _Class(-5, False, "Imports and batches, which take up where they were stopped: they give way."),
}
"""By key of `PriorityClasses.names`; the value of a system class is 2,000,000,000 and more."""


class PriorityClassesArgs(TypedDict):
    """Nothing: the classes are the same everywhere."""


class PriorityClasses(pulumi.ComponentResource):
    """The platform's PriorityClasses on the cluster given as provider, once per cluster."""

    names: pulumi.Output[dict[str, str]]
    """Name by `high`, `normal`, `low` and `batch`, known once the class exists."""

    def __init__(self, name: str, args: PriorityClassesArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, PriorityClassesArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        made = {key: name_of(self._made(name, key, one)) for key, one in CLASSES.items()}
        self.names = pulumi.Output.all(**made)
        self.register_outputs({"names": self.names})

    def _made(self, name: str, key: str, one: _Class) -> kubernetes.scheduling.v1.PriorityClass:
        return kubernetes.scheduling.v1.PriorityClass(
            f"{name}-{key}",
            metadata={"name": f"corral-{key}", "labels": labels(COMPONENT, name)},
            value=one.value,
            preemption_policy="PreemptLowerPriority" if one.preempts else "Never",
            description=one.words,
            # Neither changes of a class that exists.
            opts=child(self, replace_on_changes=["value", "preemptionPolicy"], delete_before_replace=True),
        )
