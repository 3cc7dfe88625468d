"""Addons and the charts that they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from corral.catalogue.vocabulary import Addon, AddonState

AddonStates = Mapping[Addon, AddonState]
"""Who answers for each addon, in the order of installation."""


@dataclass(frozen=True)
class ChartPlan:
    """One chart of an addon, as pinned in the catalogue (key `name`)."""

    name: str
    version: str


@dataclass(frozen=True)
class AddonPlan:
    """One addon of the platform."""

    addon: Addon
    state: AddonState
    namespace: str
    charts: tuple[ChartPlan, ...] = ()
    """Empty: made of plain objects, without a chart."""
