"""What an environment wants: the object `corral:platform` of a stack file, typed and frozen."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from corral.catalogue.addons import config_secrets
from corral.catalogue.exit import Portability, exits
from corral.catalogue.models import ModelSpec, models
from corral.catalogue.secret_keys import ALERTS_URL, REGISTRY_AUTH
from corral.catalogue.vocabulary import Addon, AddonState, ClusterKind, ServingKind
from corral.stacks.config.errors import ConfigErrors, one_of
from corral.stacks.config.sections.batches import BatchSection
from corral.stacks.config.sections.eks import Eks
from corral.stacks.config.sections.environment import (
    Admission,
    Cluster,
    ExceptionSection,
    ExitTestSection,
    GpuLayer,
    Images,
    Signatures,
    Site,
    Sovereignty,
    Toleration,
)
from corral.stacks.config.sections.gateway import Gateway, GatewayTenant, Jwt, TenantTokens, TokenLimits
from corral.stacks.config.sections.gke import Gke
from corral.stacks.config.sections.gpu_pools import Budget, GpuPool, Nodes, Owned, Sharing
from corral.stacks.config.sections.models import (
    CUSTOM_MODELS,
    Adapter,
    Canary,
    ModelSection,
    ModelSource,
    ModelStorage,
    Prefill,
    Replicas,
)
from corral.stacks.config.sections.secrets import Secrets
from corral.stacks.config.sections.section import Section
from corral.stacks.config.sections.services import Observability, VectorDb
from corral.stacks.config.sections.tenants import FairSharing, TenantSection
from corral.stacks.config.served import ServedModel, served_models
from corral.stacks.config.values import Name, kebab

__all__ = [
    "SECRETS",
    "SETTINGS",
    "Adapter",
    "Admission",
    "BatchSection",
    "Budget",
    "Canary",
    "Cluster",
    "ConfigErrors",
    "Eks",
    "ExceptionSection",
    "ExitTestSection",
    "FairSharing",
    "Gateway",
    "GatewayTenant",
    "Gke",
    "GpuLayer",
    "GpuPool",
    "Images",
    "Jwt",
    "ModelSection",
    "ModelSource",
    "ModelStorage",
    "Nodes",
    "Observability",
    "Owned",
    "Prefill",
    "Replicas",
    "Secrets",
    "Section",
    "ServedModel",
    "Sharing",
    "Signatures",
    "Site",
    "Sovereignty",
    "StackConfig",
    "TenantSection",
    "TenantTokens",
    "TokenLimits",
    "Toleration",
    "VectorDb",
]

SECRETS = (*config_secrets(), REGISTRY_AUTH, ALERTS_URL)
"""Keys of encrypted configuration, in the namespace `corral`."""

SETTINGS = {
    "lock": "Path of the lock.yaml of a bundle; the pack holds digests against it (SOV-OFF-02).",
    "charts": "Folder with unpacked charts by name; a chart that it lacks comes from mirror or registry.",
}
"""Plain keys beside `platform`, in the namespace `corral`: facts of the machine that deploys."""


def _entry(name: str) -> str:
    bound = [one.name for one in exits().values() if one.portability is not Portability.PORTABLE]
    if name not in bound:
        raise PydanticCustomError("exit", "no entry of docs/exit.md: {known}", {"known": one_of(name, bound)})
    return name


ExitEntry = Annotated[str, AfterValidator(_entry)]
"""An entry of the exit register that is not portable."""

CATALOGUE_ONLY: dict[str, Any] = {
    "if": {"not": {"required": ["custom-models"]}},
    "then": {"properties": {"models": {"items": {"properties": {"model": {"enum": list(models())}}}}}},
}
"""JSON Schema: a model is one of the catalogue where the file defines none."""


class StackConfig(Section):
    """The object `corral:platform`: what one environment wants."""

    model_config = ConfigDict(json_schema_extra=CATALOGUE_ONLY)

    sovereignty: Sovereignty
    """What must stay where."""
    cluster: Cluster
    """Where the cluster comes from."""
    gpu_pools: tuple[GpuPool, ...] = ()
    """Pools of GPU nodes."""
    models: tuple[ModelSection, ...] = ()
    """Models to serve."""
    custom_models: Annotated[dict[Name, ModelSpec], WithJsonSchema(CUSTOM_MODELS)] = {}
    """Models that the catalogue lacks, by name: their facts, or a folder with `config.json` and index."""
    tenants: tuple[TenantSection, ...] = ()
    """Groups of users; one called `models` when absent."""
    fair_sharing: FairSharing | None = None
    """How tenants share GPUs; nothing but their quotas keeps them apart when absent."""
    gateway: Gateway | None = None
    """Endpoint through which applications outside the cluster call models; none when absent."""
    token_limits: TokenLimits | None = None
    """Limits by tokens for callers of the gateway; requests alone are limited when absent."""
    batches: tuple[BatchSection, ...] = ()
    """Files of requests that models answer on a schedule."""
    vector_db: VectorDb | None = None
    """Vector database; none when absent."""
    observability: Observability | None = None
    """Metrics, dashboards and alerts; none when absent."""
    model_storage: ModelStorage = ModelStorage()
    """Object store for model files."""
    model_sources: tuple[ModelSource, ...] = ()
    """Places that models are imported from, each with an endpoint, a region and a credential of its own."""
    secrets: Secrets | None = None
    """Where secrets come from; the stack's encrypted configuration when absent. See docs/secrets.md."""
    images: Images = Images()
    """Images of Corral's own that come from elsewhere."""
    exit_tests: dict[ExitEntry, ExitTestSection] = {}
    """When the site itself tried to leave, by the entry of docs/exit.md; `corral exit` shows the later of
    this and of this repository's own tests, `untested` where there is neither."""
    budget: Budget | None = None
    """Ceiling for the cost of the GPU pools; none when absent."""
    gpu_layer: GpuLayer | None = None
    """What NVIDIA AICR has installed, which is then `existing` in `addons`; nothing when absent."""
    addons: dict[Addon, AddonState] = {}
    """Who answers for an addon: `managed` by this stack, `existing` on the cluster, or `off`."""

    @property
    def sections(self) -> frozenset[str]:
        """Sections that the stack file has, or that have a default; `models[].scaling`: some model's."""
        other_kinds = {model.kind for model in self.models} - {ServingKind.INFERENCE_SERVICE}
        of_some = {
            "gpu-pools[].fabric": any(pool.fabric is not None for pool in self.gpu_pools),
            "models[].kind": bool(other_kinds),
            "models[].pipeline-parallel": any(model.pipeline_parallel > 1 for model in self.models),
            "models[].scaling": any(model.scaling is not None for model in self.models),
            "models[].local-cache": any(model.local_cache for model in self.models),
        }
        return frozenset(
            [
                *(kebab(name) for name, value in self if value is not None),
                *(section for section, there in of_some.items() if there),
            ]
        )

    def on_kind(self, kind: ClusterKind) -> "StackConfig":
        """The same on a cluster of another kind, without the keys that say what the present one is."""
        return self.model_copy(update={"cluster": Cluster.model_validate({"kind": kind})})

    @property
    def served_models(self) -> tuple[ServedModel, ...]:
        """Its models and their canaries."""
        return tuple(served_models(self.models))

    @property
    def known_models(self) -> Mapping[str, ModelSpec]:
        """All models that this stack may name, by key."""
        return {**models(), **self.custom_models}
