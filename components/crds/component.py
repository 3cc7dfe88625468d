"""Custom resource types installed before, and apart from, whatever creates such resources."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

import pulumi

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import charts_of
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, existing_api, install, token
from corral.components.supply import Supply


class CrdSet(StrEnum):
    """Which project's resource types."""

    GATEWAY_API = "gateway-api"
    PROMETHEUS = "prometheus-crds"


if TYPE_CHECKING:
    CrdSetWord = CrdSet | Literal["gateway-api", "prometheus-crds"]
else:
    CrdSetWord = CrdSet


def addon_of(which: CrdSet) -> Addon:
    """The addon of the catalogue that is this set: it has one chart."""
    return Addon(which.value)


def crd_values(which: CrdSet) -> dict[str, Any]:
    """Values of the chart that carries the set; the Gateway API's chart installs nothing by default."""
    return {
        CrdSet.GATEWAY_API: {"crds": {"gatewayAPI": {"enabled": True, "channel": "standard"}}},
        CrdSet.PROMETHEUS: {},
    }[which]


class CrdsArgs(TypedDict):
    """Which resource types, and where their chart comes from."""

    set: CrdSetWord
    """Which project's resource types."""
    supply: Supply
    """Where the chart comes from."""
    existing: NotRequired[bool]
    """True: they are there; their version is checked and nothing is installed."""


class Crds(pulumi.ComponentResource):
    """One project's custom resource types, on the cluster given as provider.

    Deleting it deletes every object of these types.
    """

    definition: pulumi.Output[str]
    """Definition by which the set is recognised, known once the types are there."""

    def __init__(self, name: str, args: CrdsArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, CrdsArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        which = CrdSet(args["set"])
        addon = addon_of(which)
        if args.get("existing", False):
            types = existing_api(self, f"{name}-types", *definition(addon))
        else:
            (entry,) = charts_of(addon)
            types = install(
                self,
                f"{name}-chart",
                entry,
                crd_values(which),
                # Where Helm notes the release; the types themselves have no namespace.
                namespace=descriptor(addon).namespace,
                supply=args["supply"],
            )
        self.definition = types.urn.apply(lambda _: definition(addon)[0])
        self.register_outputs({"definition": self.definition})
