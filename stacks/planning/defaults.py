"""Defaults of a stack file: the platform of its nodes, its tenants, and what each model leaves open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corral.catalogue.models import ModelSpec
from corral.catalogue.vocabulary import Engine, Platform
from corral.stacks.config.stack_config import Cluster, ModelSection, ServedModel, TenantSection

PLATFORM = Platform.BARE_METAL
"""Of nodes whose platform the stack file leaves out, simulated ones too."""
CONTEXT = 8192
"""Tokens, where the model's own limit is not lower."""
TENANT = "models"


@dataclass(frozen=True)
class ModelRequest:
    """A model of the stack file with every default filled in."""

    config: ModelSection
    spec: ModelSpec
    path: str
    engine: Engine
    context: int
    tenant: str
    namespace: str
    canary_of: str | None = None
    weight: int | None = None

    @property
    def called(self) -> str:
        """Name by which callers ask for it."""
        return self.canary_of or self.config.name


def node_platform(cluster: Cluster) -> Platform:
    """The platform of the cluster's GPU nodes."""
    return cluster.platform or next(iter(cluster.capabilities.platforms), PLATFORM)


def namespaces(tenants: Sequence[TenantSection]) -> Mapping[str, str]:
    """Namespace by tenant; one tenant where the stack file has none."""
    return {tenant.name: tenant.namespace or tenant.name for tenant in tenants} or {TENANT: TENANT}


def model_requests(
    models: Sequence[ServedModel], known: Mapping[str, ModelSpec], spaces: Mapping[str, str]
) -> tuple[ModelRequest, ...]:
    """Every model with its defaults; `spaces`: namespace by tenant, the first tenant being the default."""
    return tuple(_request(one, known[one.section.model], spaces) for one in models)


def engine_of(model: ModelSection, spec: ModelSpec) -> Engine:
    """The engine that serves `model`."""
    return model.engine or spec.engine


def context_of(model: ModelSection, spec: ModelSpec) -> int:
    """Tokens of one sequence of `model`; text-embeddings takes the model's own limit and no other."""
    if engine_of(model, spec) is Engine.TEXT_EMBEDDINGS:
        return spec.context
    return model.context or min(spec.context, CONTEXT)


def _request(served: ServedModel, spec: ModelSpec, spaces: Mapping[str, str]) -> ModelRequest:
    model = served.section
    tenant = model.tenant or next(iter(spaces))
    return ModelRequest(
        config=model,
        spec=spec,
        path=served.path,
        engine=engine_of(model, spec),
        context=context_of(model, spec),
        tenant=tenant,
        namespace=spaces[tenant],
        canary_of=served.canary_of,
        weight=served.weight,
    )
