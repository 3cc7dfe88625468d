"""How addons become components: each by the module of its name in `component_args`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar

import pulumi

from corral.catalogue.vocabulary import Addon
from corral.stacks.deploy.component_args.context import DeployContext

Args = TypeVar("Args")


@dataclass(frozen=True)
class Wiring(Generic[Args]):
    """The component of an addon, named and ordered as the addon's descriptor has it."""

    component: Callable[[str, Args, pulumi.ResourceOptions | None], pulumi.Resource]
    args: Callable[[DeployContext], Args | None]
    """Its arguments; None: the plan has nothing for it to make."""


@dataclass(frozen=True)
class FurtherWiring(Wiring[Args]):
    """Another component of the same addon, made once the components of all addons are there."""

    name: str
    after: tuple[Addon, ...] = ()
    """Addons that its objects wait for."""
    calls_models: bool = False
    """Whether its arguments come from the models; it is made before them when not."""
    awaits_models: bool = False
    """Whether it waits until the last replica of every model has changed over."""


def wirings(addon: Addon) -> tuple[Wiring[Any], Sequence[FurtherWiring[Any]]]:
    """The component of `addon` and its further ones: `WIRING` and `FURTHER` of its module."""
    module = import_module(f"corral.stacks.deploy.component_args.{addon.value.replace('-', '_')}")
    return module.WIRING, getattr(module, "FURTHER", ())
