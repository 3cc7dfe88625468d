"""Components of a platform by addon and by class, as the program makes them."""

from collections.abc import Iterable
from typing import TypeVar

import pulumi

from corral.catalogue.vocabulary import Addon

Component = TypeVar("Component", bound=pulumi.Resource)


class Built:
    """The components that a program has made so far."""

    def __init__(self):
        self._by_addon: dict[Addon, pulumi.Resource] = {}
        self._by_class: dict[type[pulumi.Resource], pulumi.Resource] = {}

    def add(self, component: pulumi.Resource, addon: Addon | None) -> None:
        """Take in a component: that of `addon`, or a further one where None."""
        self._by_class[type(component)] = component
        if addon is not None:
            self._by_addon[addon] = component

    def get(self, component: type[Component]) -> Component | None:
        """The component of that class; None: the platform has none."""
        made = self._by_class.get(component)
        return made if isinstance(made, component) else None

    def all(self) -> list[pulumi.Resource]:
        """Every component so far."""
        return list(dict.fromkeys((*self._by_addon.values(), *self._by_class.values())))

    def of(self, addons: Iterable[Addon]) -> list[pulumi.Resource]:
        """The components of those `addons` that the platform has."""
        return [self._by_addon[addon] for addon in addons if addon in self._by_addon]
