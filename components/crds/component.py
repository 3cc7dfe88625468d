"""Custom resource types installed before, and apart from, whatever creates such resources."""

from enum import Enum
from typing import Any, NotRequired, TypedDict

import pulumi

from corral.catalogue.addons import definition
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, existing_api, install, token
from corral.components.supply import Supply


class CrdSet(str, Enum):
    """Which project's resource types."""

    GATEWAY_API = "gateway-api"
    PROMETHEUS = "prometheus-crds"


RELEASE_NAMESPACE = "default"
"""Where Helm notes the release: a namespace that every cluster has. The types themselves have none."""

CHARTS = {CrdSet.GATEWAY_API: "gateway-crds-helm", CrdSet.PROMETHEUS: "prometheus-operator-crds"}
PROBES = {
    CrdSet.GATEWAY_API: definition(Addon.GATEWAY_API),
    CrdSet.PROMETHEUS: definition(Addon.PROMETHEUS_CRDS),
}
"""CRD and version whose presence stands for the set."""


def crd_values(which: CrdSet) -> dict[str, Any]:
    """Values of the chart that carries the set; the Gateway API's chart installs nothing by default."""
    return {
        CrdSet.GATEWAY_API: {"crds": {"gatewayAPI": {"enabled": True, "channel": "standard"}}},
        CrdSet.PROMETHEUS: {},
    }[which]


class CrdsArgs(TypedDict):
    """Which resource types, and where their chart comes from."""

    set: CrdSet
    """Which project's resource types."""
    supply: Supply
    """Where the chart comes from."""
    existing: NotRequired[bool]
    """True: they are there; their version is checked and nothing is installed."""


class Crds(pulumi.ComponentResource):
    """One project's custom resource types, on the cluster given as provider.

    Deleting it deletes every object of these types.
    """

    def __init__(self, name: str, args: CrdsArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, CrdsArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        which = CrdSet(args["set"])
        if args.get("existing", False):
            existing_api(self, f"{name}-found", *PROBES[which])
        else:
            entry = chart(CHARTS[which])
            install(
                self,
                f"{name}-chart",
                entry,
                crd_values(which),
                namespace=RELEASE_NAMESPACE,
                supply=args["supply"],
            )
        self.register_outputs({})
