"""From what an environment wants to what will be built: pure, and either complete or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corral.catalogue.addons import descriptor
from corral.catalogue.gpus import gpus
from corral.catalogue.images import image
from corral.catalogue.models import Facts
from corral.catalogue.vocabulary import (
    Addon,
    ClusterKind,
    Engine,
    Profile,
    StorageKind,
    VectorEngine,
    Weights,
)
from corral.controls.profiles import profile
from corral.stacks.config.errors import PlanErrors, Problem, Unpinned
from corral.stacks.config.stack_config import Model, StackConfig
from corral.stacks.config.values import gibibytes
from corral.stacks.planning.addons import charts_in, namespace, secrets_of, state
from corral.stacks.planning.budget import over_budget
from corral.stacks.planning.device_requests import allocator, devices_of, request
from corral.stacks.planning.digests import pins, repositories
from corral.stacks.planning.gpu_pools.allocators import Room, room
from corral.stacks.planning.gpu_pools.placement import Placed, place
from corral.stacks.planning.pricing import cost
from corral.stacks.planning.quotas import device_classes, device_limits, over_quota, shares
from corral.stacks.planning.results.plan import (
    AddonPlan,
    ChartPlan,
    ClusterPlan,
    FilePlan,
    ModelPlan,
    ObservabilityPlan,
    Placement,
    Plan,
    PolicyPlan,
    StoragePlan,
    SupplyPlan,
    TenantPlan,
    VectorDbPlan,
)
from corral.stacks.planning.serving import IMAGES, PORT, RUNTIMES, arguments
from corral.stacks.planning.validation.platform import platform_of

DEFAULT_CONTEXT = 8192
DEFAULT_TENANT = "models"
STORE = descriptor(Addon.MODEL_STORAGE)
STORE_ENDPOINT = f"http://model-storage.{STORE.namespace}.svc.cluster.local:{STORE.ports['s3']}"
BUILT = (ClusterKind.EMBEDDED, ClusterKind.EXISTING)
"""Cluster kinds that this version builds."""


@dataclass(frozen=True)
class _Settled:
    """A model with every default filled in."""

    config: Model
    facts: Facts
    path: str
    engine: Engine
    context: int
    tenant: str
    namespace: str


def plan(config: StackConfig, stack: str) -> Plan:
    """The plan of stack `stack`.

    Raises:
        PlanErrors: a model fits nowhere, a pool is full, digests are missing in a profile that needs them,
            the cluster kind is not built by this version, tenants ask for more GPUs than there are, or the
            budget does not hold.
    """
    problems: list[Problem] = []
    if config.cluster.kind not in BUILT:
        words = ", ".join(kind.value for kind in BUILT)
        problems.append(Problem("cluster.kind", config.cluster.kind.value, f"this version builds {words}"))
    tenants = _tenants(config)
    known = config.known_models
    settled = [_settle(index, model, known, tenants) for index, model in enumerate(config.models)]
    rooms = [room(pool) for pool in config.gpu_pools]
    placed = [place(one.path, one.config, one.facts, one.engine, one.context, rooms) for one in settled]
    problems += [one for one in placed if isinstance(one, Problem)]
    chosen = [one for one in placed if not isinstance(one, Problem)]
    found = pins(config, {one.engine for one in settled})
    if found.unresolved and config.sovereignty.profile is not Profile.OPEN:
        problems.append(_unpinned(config.sovereignty.profile, found.resolved, found.unresolved))
    if problems:
        raise PlanErrors(problems)
    made = _complete(config, stack, tenants, settled, chosen, rooms)
    refused = [*over_quota(config, made), *over_budget(config, made.cost)]
    if refused:
        raise PlanErrors(refused)
    return made


def _unpinned(wanted: Profile, resolved: int, unresolved: Sequence[str]) -> Unpinned:
    shown = ", ".join(unresolved[:3]) + (", …" if len(unresolved) > 3 else "")
    return Unpinned(
        "sovereignty.profile",
        wanted.value,
        f"needs digests, and {len(unresolved)} of {len(unresolved) + resolved} are unresolved ({shown}): "
        "run corral lock",
    )


def _tenants(config: StackConfig) -> dict[str, str]:
    """Namespace by tenant."""
    given = {tenant.name: tenant.namespace or tenant.name for tenant in config.tenants}
    return given or {DEFAULT_TENANT: DEFAULT_TENANT}


def _settle(index: int, model: Model, known: Mapping[str, Facts], tenants: dict[str, str]) -> _Settled:
    facts = known[model.model]
    tenant = model.tenant or next(iter(tenants))
    return _Settled(
        config=model,
        facts=facts,
        path=f"models[{index}]",
        engine=model.engine or facts.engine,
        context=model.context or min(facts.context, DEFAULT_CONTEXT),
        tenant=tenant,
        namespace=tenants[tenant],
    )


def _complete(
    config: StackConfig,
    stack: str,
    tenants: dict[str, str],
    settled: Sequence[_Settled],
    chosen: Sequence[Placed],
    rooms: Sequence[Room],
) -> Plan:
    wanted = config.sovereignty
    finished = [one.finish() for one in rooms]
    where = {model: places for _plan, placements in finished for model, places in placements.items()}
    limits = profile(wanted.profile.value, region=wanted.region, registry=wanted.registry)
    engines = {one.engine for one in settled}
    classes = {tenant.name: tenant.data_class for tenant in config.tenants}
    pools = tuple(pool for pool, _ in finished)
    served = tuple(
        _model(config, one, spot, where[one.config.name]) for one, spot in zip(settled, chosen, strict=True)
    )
    by = allocator(config)
    whose = shares(config, tenants, pools, served, by)
    return Plan(
        stack=stack,
        profile=wanted.profile,
        region=wanted.region,
        cluster=ClusterPlan(
            config.cluster.kind,
            config.cluster.kubeconfig,
            config.cluster.context,
            config.cluster.plane,
            platform_of(config),
            config.cluster.precompiled_driver,
        ),
        allocator=by,
        supply=SupplyPlan(wanted.registry, wanted.pull_secret),
        addons=tuple(_addon(config, addon) for addon in Addon),
        pools=pools,
        models=served,
        storage=_storage(config),
        vector_db=_vector_db(config),
        observability=_observability(config),
        tenants=tuple(
            TenantPlan(
                name,
                space,
                classes.get(name),
                tuple(one.config.name for one in settled if one.tenant == name),
                tuple(device_limits(config, whose, by, name).items()),
            )
            for name, space in tenants.items()
        ),
        policy=PolicyPlan(
            profile=wanted.profile,
            regions=tuple(sorted(limits.regions or ())),
            digests_required=wanted.profile is not Profile.OPEN,
            repositories=repositories(config, engines),
            source_schemes=limits.model_sources,
        ),
        pins=pins(config, engines),
        tools_image=image("tools").reference(wanted.registry),
        cost=cost(config, pools, served),
        shares=whose,
        device_classes=device_classes(whose.offered, by),
        secrets_needed=secrets_of(config),
    )


def _addon(config: StackConfig, addon: Addon) -> AddonPlan:
    found = charts_in(config, addon)
    return AddonPlan(
        addon=addon,
        state=state(config, addon),
        namespace=namespace(addon),
        charts=tuple(ChartPlan(entry.name, entry.version, entry.installed_by) for entry in found),
    )


def _model(config: StackConfig, one: _Settled, spot: Placed, places: tuple[Placement, ...]) -> ModelPlan:
    asked, facts, real = one.config, one.facts, one.config.weights is Weights.REAL
    pool = next(pool for pool in config.gpu_pools if pool.name == spot.pool)
    gpu = gpus()[pool.gpu]
    return ModelPlan(
        name=asked.name,
        namespace=one.namespace,
        tenant=one.tenant,
        model=asked.model,
        task=facts.task,
        license=facts.license,
        engine=one.engine,
        runtime=RUNTIMES[one.engine],
        image=image(IMAGES[one.engine]).reference(config.sovereignty.registry),
        args=arguments(
            asked.name,
            facts,
            one.engine,
            context=one.context,
            max_num_seqs=asked.max_num_seqs,
            parallel=spot.count,
            shares=spot.device.shares,
            usable=spot.device.usable,
        ),
        port=PORT,
        weights=asked.weights,
        source=asked.source or facts.package_source or "",
        files=tuple(FilePlan(file.name, file.sha256, file.size) for file in facts.files) if real else (),
        storage_path=asked.name,
        claim=request(allocator(config), gpu, spot),
        device=devices_of(spot),
        pool=spot.pool,
        product_label=gpu.label,
        replicas_min=asked.replicas.min,
        replicas_max=asked.replicas.max,
        context=one.context,
        max_num_seqs=asked.max_num_seqs,
        memory=spot.memory,
        largest_context=spot.largest_context,
        full_sequences=spot.full_sequences,
        placements=places,
        service=f"{asked.name}-predictor.{one.namespace}.svc.cluster.local",
    )


def _storage(config: StackConfig) -> StoragePlan:
    store = config.model_storage
    deployed = store.kind is StorageKind.SEAWEEDFS
    return StoragePlan(
        kind=store.kind,
        bucket=store.bucket,
        size_gib=gibibytes(store.size),
        endpoint=store.endpoint or STORE_ENDPOINT,
        region=config.sovereignty.region,
        image=image("seaweedfs").reference(config.sovereignty.registry) if deployed else None,
    )


def _vector_db(config: StackConfig) -> VectorDbPlan | None:
    asked = config.vector_db
    if asked is None:
        return None
    plain = asked.engine is VectorEngine.PGVECTOR
    return VectorDbPlan(
        engine=asked.engine,
        namespace=namespace(Addon.VECTOR_DB),
        replicas=asked.replicas,
        size_gib=gibibytes(asked.size),
        vectors=asked.vectors,
        dimensions=asked.dimensions,
        image=image("pgvector").reference(config.sovereignty.registry) if plain else None,
    )


def _observability(config: StackConfig) -> ObservabilityPlan | None:
    asked = config.observability
    if asked is None:
        return None
    return ObservabilityPlan(namespace(Addon.OBSERVABILITY), asked.retention_days, gibibytes(asked.size))
