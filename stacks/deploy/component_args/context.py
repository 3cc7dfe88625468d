"""What the arguments of every component draw on."""

from dataclasses import dataclass
from typing import TypedDict

from corral.catalogue.clusters import ClusterCapabilities
from corral.catalogue.vocabulary import Addon, AddonState
from corral.components.supply import Supply
from corral.stacks.deploy.clusters.protocol import Cluster
from corral.stacks.planning.results.plan import Plan


class Installed(TypedDict):
    """What every component takes that installs something."""

    supply: Supply
    existing: bool


@dataclass(frozen=True)
class DeployContext:
    """A plan on its cluster."""

    plan: Plan
    supply: Supply
    capabilities: ClusterCapabilities

    @staticmethod
    def of(plan: Plan, cluster: Cluster) -> "DeployContext":
        """The context of `plan` on `cluster`."""
        return DeployContext(plan, _supply(plan, cluster.charts), cluster.capabilities)

    def enabled(self, addon: Addon) -> bool:
        """Whether the platform has `addon`, installed or not."""
        return self.plan.state(addon) is not AddonState.OFF

    def existing(self, addon: Addon) -> bool:
        """Whether `addon` is there already."""
        return self.plan.state(addon) is AddonState.EXISTING

    def installed(self, addon: Addon) -> Installed:
        """Where `addon` is installed from, and whether that is left out."""
        return {"supply": self.supply, "existing": self.existing(addon)}

    @property
    def monitors(self) -> bool:
        """Whether the Prometheus operator's resource types are there."""
        return self.enabled(Addon.PROMETHEUS_CRDS)

    @property
    def scraper(self) -> str:
        """Namespace that metrics are scraped from."""
        return self.plan.addon(Addon.OBSERVABILITY).namespace

    @property
    def tenant_namespaces(self) -> list[str]:
        """Namespaces of all tenants."""
        return [tenant.namespace for tenant in self.plan.tenants]


def _supply(plan: Plan, charts: str | None) -> Supply:
    supply: Supply = {}
    if charts is not None:
        supply["charts"] = charts
    if plan.supply.registry is not None:
        supply["registry"] = plan.supply.registry
    if plan.supply.pull_secret is not None:
        supply["pull_secret"] = plan.supply.pull_secret
    return supply
