"""What the arguments of every component draw on."""

from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.addons import definition
from corral.catalogue.clusters import ClusterCapabilities
from corral.catalogue.vocabulary import Addon, AddonState
from corral.components.external_secrets import ExternalSecrets
from corral.components.model import Model
from corral.components.secret_store import SecretStore
from corral.components.supply import Supply, Toleration
from corral.stacks.config.stack_config import REGISTRY_AUTH
from corral.stacks.deploy.built import Built
from corral.stacks.deploy.clusters.protocol import Cluster, ModelBucket
from corral.stacks.deploy.secrets import secret
from corral.stacks.planning.results.cluster import TolerationPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.secrets import SecretsPlan


class Installed(TypedDict):
    """What every component takes that installs something."""

    supply: Supply
    existing: bool


class Watched(TypedDict):
    """What every component takes that Prometheus watches."""

    monitors: bool
    monitor_types: pulumi.Input[str]


class NameCaches(TypedDict, total=False):
    """What every component takes whose pods ask for names."""

    dns_addresses: list[str]


class Volumes(TypedDict):
    """Where the volumes of a component come from."""

    storage_class: NotRequired[str]


@dataclass(frozen=True)
class DeployContext:
    """A plan on its cluster."""

    plan: Plan
    supply: Supply
    capabilities: ClusterCapabilities
    storage_class: str | None
    bucket: ModelBucket | None = None
    """A bucket of the cluster's cloud for models; None: the store is somewhere else."""
    models: dict[str, Model] = field(default_factory=dict)
    """Models and their canaries that are there already, by name."""
    built: Built = field(default_factory=Built)
    """Components that are there already: what one offers is an argument of the next."""

    @staticmethod
    def of(plan: Plan, cluster: Cluster) -> "DeployContext":
        """The context of `plan` on `cluster`."""
        supply = _supply(plan, cluster.charts)
        capabilities, bucket = cluster.capabilities, cluster.model_bucket
        return DeployContext(plan, supply, capabilities, cluster.storage_class, bucket)

    @property
    def secret_store(self) -> SecretStore | None:
        """What has the stack's secrets; None: its encrypted configuration does."""
        plan, external = self.plan.secrets, self.built.get(ExternalSecrets)
        return None if plan is None or external is None else _store(plan, external.store)

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
    def volumes(self) -> Volumes:
        """What every component takes that keeps data on a volume."""
        return {} if self.storage_class is None else {"storage_class": self.storage_class}

    def watched(self, addon: Addon | None = None) -> Watched:
        """Whether Prometheus watches a component, by resource types of this program or before it.

        `addon`: the one that the component is; None: it is none.
        """
        types, _ = definition(Addon.PROMETHEUS_CRDS)
        scraped = addon not in self.capabilities.without_metrics
        return {"monitors": scraped and self.enabled(Addon.PROMETHEUS_CRDS), "monitor_types": types}

    @property
    def caches(self) -> NameCaches:
        """Where pods ask for names besides the DNS of the cluster, if anywhere."""
        addresses = self.plan.cluster.dns_addresses
        return {"dns_addresses": list(addresses)} if addresses else {}

    @property
    def scraper(self) -> str:
        """Namespace that metrics are scraped from."""
        return self.plan.addon(Addon.OBSERVABILITY).namespace

    @property
    def tenant_namespaces(self) -> list[str]:
        """Namespaces of all tenants."""
        return [tenant.namespace for tenant in self.plan.tenants]


def _supply(plan: Plan, charts: str | None) -> Supply:
    supply = plain_supply(plan)
    if charts is not None:
        supply["charts"] = charts
    if plan.supply.pull_secret is not None:
        supply["pull_secret"] = plan.supply.pull_secret
        if REGISTRY_AUTH in plan.secrets_needed or plan.secrets is None:
            supply["registry_auth"] = secret(REGISTRY_AUTH)
        else:
            # Namespaces are made before anything waits for the operator, which is there.
            supply["registry_store"] = _store(plan.secrets, plan.secrets.store)
    return supply


def plain_supply(plan: Plan) -> Supply:
    """Where the images of `plan` come from and which nodes pods run on, without credentials."""
    supply: Supply = {}
    if plan.supply.registry is not None:
        supply["registry"] = plan.supply.registry
    if plan.supply.tools_image is not None:
        supply["images"] = {"tools": plan.supply.tools_image}
    if plan.cluster.node_selector:
        supply["node_selector"] = dict(plan.cluster.node_selector)
    if plan.cluster.tolerations:
        supply["tolerations"] = [_toleration(one) for one in plan.cluster.tolerations]
    return supply


def _store(plan: SecretsPlan, name: pulumi.Input[str]) -> SecretStore:
    made: SecretStore = {
        "name": name,
        "prefix": plan.prefix,
        "refresh": plan.refresh,
        "revision": plan.revision,
    }
    if plan.text_field is not None:
        made["property"] = plan.text_field
    return made


def _toleration(plan: TolerationPlan) -> Toleration:
    made: Toleration = {"key": plan.key, "operator": "Exists"}
    if plan.value is not None:
        made["operator"], made["value"] = "Equal", plan.value
    if plan.effect is not None:
        made["effect"] = plan.effect.value
    return made
