"""What the policies of a run evaluate, each resource adapted once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pulumi_policy import ResourceValidationArgs, StackValidationArgs

from corral.controls.cel import Prepared, prepared
from corral.controls.control import Control, Resource, Undecided
from corral.controls.evaluate import keeps_all
from corral.controls.profiles import Profile
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
    """Adapts the resource that the policies are called with, one after the other, once.

    `together`: controls about Kubernetes objects that are evaluated of each resource under `constraints`.
    """

    def __init__(self, together: Sequence[Control] = (), constraints: Profile | None = None) -> None:
        self._together = together
        self._constraints = constraints
        self._one: tuple[ResourceValidationArgs, Adapted] | None = None
        self._good: tuple[ResourceValidationArgs, bool] | None = None
        self._stack: tuple[StackValidationArgs, list[Resource]] | None = None

    def one(self, args: ResourceValidationArgs) -> Adapted:
        """The resource of a resource policy."""
        kept = self._one
        if kept is None or kept[0] is not args:
            self._one = kept = args, adapted(resource(args))
        return kept[1]

    def good(self, args: ResourceValidationArgs) -> bool:
        """Whether nothing in the resource is against any of the controls; False: each says by itself."""
        if self._constraints is None:
            return False
        kept = self._good
        if kept is None or kept[0] is not args:
            constraints = self._constraints
            verdict = all(keeps_all(self._together, one, constraints) for one in self.one(args).workloads)
            self._good = kept = args, verdict
        return kept[1]

    def stack(self, args: StackValidationArgs) -> list[Resource]:
        """All resources of a stack policy."""
        kept = self._stack
        if kept is None or kept[0] is not args:
            self._stack = kept = args, [resource(one) for one in args.resources]
            self._one = self._good = None
        return kept[1]


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
