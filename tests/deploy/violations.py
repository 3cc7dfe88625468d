"""What the pack stops of the graph of a stack, and what it cannot decide yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from pulumi.runtime import rpc
from tests.components.harness import Graph

from corral.catalogue.images import repository_of
from corral.controls.control import UNKNOWN, Control, ObjectRule, Resource, Undecided
from corral.controls.enforcement import stops
from corral.controls.evaluate import applies, evaluate_object, evaluate_resource
from corral.controls.models.sources import store
from corral.controls.profiles import Profile, profile
from corral.controls.register import CONTROLS
from corral.policy.adapter import Adapted, adapted
from corral.policy.mounted import declared
from corral.policy.rendered import RELEASE
from corral.stacks.planning.results.plan import Plan


def seen(value: Any) -> Any:
    """`value` as the pack sees it before an update, in which what is not known is `UNKNOWN`."""
    if isinstance(value, dict):
        return {key: seen(one) for key, one in value.items()}
    if isinstance(value, list):
        return [seen(one) for one in value]
    return UNKNOWN if value == rpc.UNKNOWN else value


@dataclass(frozen=True)
class Violations:
    """The controls of a plan's profile over its graphs, before an update and after."""

    plan: Plan
    finished: Graph
    """The graph once everything is known."""
    provider: Mapping[str, Any]
    """Settings of the provider of the cloud."""

    def of(self, graph: Graph) -> tuple[list[tuple[str, str, str]], set[str]]:
        """Violations of controls that stop an update, and the IDs of those that cannot be decided yet."""
        plan = self.plan
        tools = plan.supply.tools_image
        own = () if tools is None else (repository_of(tools),)
        limits = _limits(
            plan.profile.value, plan.region, plan.country, plan.supply.registry, store(plan.storage.uri), own
        )
        subjects = self.resources(graph)
        several = [adapted(one) for one in subjects]
        found: list[tuple[str, str, str]] = []
        undecided: set[str] = set()
        for control in CONTROLS:
            for one in several if stops(control, limits) and declared(control) else ():
                try:
                    lines = _lines(control, one, subjects, limits)
                    found += [(control.id, one.resource.name, line) for line in lines]
                except Undecided:
                    undecided.add(control.id)
        return found, undecided

    def resources(self, graph: Graph) -> tuple[Resource, ...]:
        """What the pack sees of a stack, but for what Helm makes of releases."""
        return tuple(
            Resource(
                one.type,
                one.name,
                seen(one.inputs),
                urn=one.urn,
                provider=self.provider,
                ignore_changes=one.ignored,
                protect=one.protect,
                refers=self._references.get(one.urn, {}),
            )
            for one in graph
            if one.custom and not one.read and one.type != RELEASE
        )

    @cached_property
    def _references(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Which resources the properties of each come from, by URN."""
        named = {f"{one.name}-id": one.urn for one in self.finished}
        return {
            one.urn: {
                key: [named[value]]
                for key, value in one.inputs.items()
                if isinstance(value, str) and value in named
            }
            for one in self.finished
        }


@cache
def _limits(
    name: str, region: str, country: str | None, registry: str | None, at: str, images: tuple[str, ...]
) -> Profile:
    """The same object for the same stack: what a profile makes of each rule is kept with it."""
    limits = profile(name, region=region, country=country, registry=registry, stores=(at,))
    return replace(limits, images=images)


def _lines(control: Control, one: Adapted, others: Sequence[Resource], limits: Profile) -> list[str]:
    if isinstance(control.rule, ObjectRule):
        return [line for work in one.workloads for line in evaluate_object(control, work, limits)]
    subject = one.resource
    return evaluate_resource(control, subject, others, limits) if applies(control, subject.type) else []
