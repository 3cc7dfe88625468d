"""What the policies of a run evaluate, each resource adapted once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi_policy import ResourceValidationArgs, StackValidationArgs

from corral.controls.cel import Prepared, prepared
from corral.controls.control import Resource, Undecided
from corral.policy.adapt import kubernetes_workloads, resource
from corral.policy.rendered import RELEASE, CannotRender, objects


@dataclass(frozen=True)
class Adapted:
    """A resource and the workloads in it, the same for all controls."""

    resource: Resource
    workloads: Sequence[Prepared]
    obstacle: CannotRender | Undecided | None
    """Why the workloads of a release are not known."""


class Adapter:
    """Adapts the resource that the policies are called with, one after the other, once."""

    def __init__(self) -> None:
        self._args: object = None
        self._adapted: Adapted | None = None
        self._stack: list[Resource] = []

    def one(self, args: ResourceValidationArgs) -> Adapted:
        """The resource of a resource policy."""
        if self._args is not args or self._adapted is None:
            self._adapted = adapted(resource(args))
            self._args = args
        return self._adapted

    def stack(self, args: StackValidationArgs) -> list[Resource]:
        """All resources of a stack policy."""
        if self._args is not args:
            self._stack = [resource(one) for one in args.resources]
            self._args, self._adapted = args, None
        return self._stack


def adapted(subject: Resource) -> Adapted:
    """`subject` with the workloads in it."""
    if subject.type != RELEASE:
        return Adapted(
            subject, [prepared(one) for one in kubernetes_workloads(subject.type, subject.props)], None
        )
    try:
        return Adapted(subject, [prepared(one) for one in objects(subject)], None)
    except (CannotRender, Undecided) as obstacle:
        return Adapted(subject, [], obstacle)
