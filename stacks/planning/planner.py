"""From what an environment wants to what will be built: pure, and either complete or refused."""

from collections.abc import Mapping, Sequence

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import (
    Addon,
    AddonState,
    ClusterKind,
    Profile,
    VectorEngine,
    Weights,
)
from corral.controls.profiles import profile
from corral.stacks.config.errors import ConfigErrors, PlanErrors, Problem, Unpinned
from corral.stacks.config.stack_config import SECRETS, StackConfig
from corral.stacks.config.values import gibibytes
from corral.stacks.planning.addons import charts_in, namespace, state
from corral.stacks.planning.budget import over_budget
from corral.stacks.planning.defaults import ModelRequest, model_requests, namespaces, node_platform
from corral.stacks.planning.device_requests import allocator, devices_of, request
from corral.stacks.planning.digests import digests_of, repositories
from corral.stacks.planning.gpu_pools.allocators import PoolAllocator, pool_allocator
from corral.stacks.planning.gpu_pools.placement import PoolPlacement, place
from corral.stacks.planning.pricing import cost
from corral.stacks.planning.quotas import device_classes, device_limits, over_quota, shares
from corral.stacks.planning.results.addons import AddonPlan, ChartPlan
from corral.stacks.planning.results.cluster import ClusterPlan, SupplyPlan
from corral.stacks.planning.results.models import FilePlan, ModelPlan, ReplicaPlacement
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.sovereignty import PolicyPlan
from corral.stacks.planning.results.stores import ObservabilityPlan, StoragePlan, VectorDbPlan
from corral.stacks.planning.results.tenants import TenantPlan
from corral.stacks.planning.serving import arguments
from corral.stacks.planning.validation.checks import check

STORE_ENDPOINT = "http://model-storage.model-storage.svc.cluster.local:8333"
BUILT = (ClusterKind.EMBEDDED, ClusterKind.EXISTING)
"""Cluster kinds that this version builds."""


def plan(config: StackConfig, stack: str) -> Plan:
    """The plan of stack `stack`.

    Raises:
        ConfigErrors: sections of the stack file contradict each other, the catalogue or the profile.
        PlanErrors: a model fits nowhere, a pool is full, digests are missing in a profile that needs them,
            the cluster kind is not built by this version, tenants ask for more GPUs than there are, or the
            budget does not hold.
    """
    invalid = tuple(check(config))
    if invalid:
        raise ConfigErrors(invalid)
    problems: list[Problem] = []
    if config.cluster.kind not in BUILT:
        words = ", ".join(kind.value for kind in BUILT)
        problems.append(Problem("cluster.kind", config.cluster.kind.value, f"this version builds {words}"))
    tenants = namespaces(config.tenants)
    requests = model_requests(config.models, config.known_models, tenants)
    allocators = [pool_allocator(pool) for pool in config.gpu_pools]
    placed = [place(one.path, one.config, one.spec, one.engine, one.context, allocators) for one in requests]
    problems += [one for one in placed if isinstance(one, Problem)]
    chosen = [one for one in placed if not isinstance(one, Problem)]
    found = digests_of(config, {one.engine for one in requests})
    if found.unresolved and config.sovereignty.profile is not Profile.OPEN:
        problems.append(_unpinned(config.sovereignty.profile, found.resolved, found.unresolved))
    if problems:
        raise PlanErrors(problems)
    made = _complete(config, stack, tenants, requests, chosen, allocators)
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


def _complete(
    config: StackConfig,
    stack: str,
    tenants: Mapping[str, str],
    requests: Sequence[ModelRequest],
    chosen: Sequence[PoolPlacement],
    allocators: Sequence[PoolAllocator],
) -> Plan:
    wanted = config.sovereignty
    finished = [one.finish() for one in allocators]
    where = {model: places for _plan, placements in finished for model, places in placements.items()}
    limits = profile(wanted.profile.value, region=wanted.region, registry=wanted.registry)
    engines = {one.engine for one in requests}
    classes = {tenant.name: tenant.data_class for tenant in config.tenants}
    pools = tuple(pool for pool, _ in finished)
    served = tuple(
        _model(config, one, placement, where[one.config.name])
        for one, placement in zip(requests, chosen, strict=True)
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
            node_platform(config.cluster),
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
                tuple(one.config.name for one in requests if one.tenant == name),
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
        digests=digests_of(config, engines),
        cost=cost(config, pools, served),
        shares=whose,
        device_classes=device_classes(whose.offered, by),
        secrets_needed=_secrets(config),
    )


def _addon(config: StackConfig, addon: Addon) -> AddonPlan:
    found = charts_in(config, addon)
    return AddonPlan(
        addon=addon,
        state=state(config, addon),
        namespace=namespace(addon),
        charts=tuple(ChartPlan(entry.name, entry.version, entry.installed_by) for entry in found),
    )


def _model(
    config: StackConfig, one: ModelRequest, placement: PoolPlacement, places: tuple[ReplicaPlacement, ...]
) -> ModelPlan:
    asked, facts, real = one.config, one.spec, one.config.weights is Weights.REAL
    pool = next(pool for pool in config.gpu_pools if pool.name == placement.pool)
    gpu = gpus()[pool.gpu]
    return ModelPlan(
        name=asked.name,
        namespace=one.namespace,
        tenant=one.tenant,
        model=asked.model,
        task=facts.task,
        license=facts.license,
        engine=one.engine,
        args=arguments(
            asked.name,
            facts,
            one.engine,
            context=one.context,
            max_num_seqs=asked.max_num_seqs,
            parallel=placement.count,
            shares=placement.device.shares,
            usable=placement.device.usable,
        ),
        weights=asked.weights,
        source=asked.source or facts.package_source or "",
        files=tuple(FilePlan(file.name, file.sha256) for file in facts.files) if real else (),
        storage_path=asked.name,
        claim=request(allocator(config), gpu, placement),
        device=devices_of(placement),
        pool=placement.pool,
        replicas_min=asked.replicas.min,
        replicas_max=asked.replicas.max,
        context=one.context,
        max_num_seqs=asked.max_num_seqs,
        memory=placement.memory,
        largest_context=placement.largest_context,
        full_sequences=placement.full_sequences,
        placements=places,
        service=f"{asked.name}-predictor.{one.namespace}.svc.cluster.local",
    )


def _storage(config: StackConfig) -> StoragePlan:
    store = config.model_storage
    return StoragePlan(
        kind=store.kind,
        bucket=store.bucket,
        size_gib=gibibytes(store.size),
        endpoint=store.endpoint or STORE_ENDPOINT,
        region=config.sovereignty.region,
    )


def _vector_db(config: StackConfig) -> VectorDbPlan | None:
    asked = config.vector_db
    if asked is None:
        return None
    return VectorDbPlan(
        engine=asked.engine,
        namespace=namespace(Addon.VECTOR_DB),
        replicas=asked.replicas,
        size_gib=gibibytes(asked.size),
        vectors=asked.vectors,
        dimensions=asked.dimensions,
    )


def _observability(config: StackConfig) -> ObservabilityPlan | None:
    asked = config.observability
    if asked is None:
        return None
    return ObservabilityPlan(namespace(Addon.OBSERVABILITY), asked.retention_days, gibibytes(asked.size))


def _secrets(config: StackConfig) -> tuple[str, ...]:
    store, database = state(config, Addon.MODEL_STORAGE), config.vector_db
    managed_database = state(config, Addon.VECTOR_DB) is AddonState.MANAGED and database is not None
    engine = database.engine if database is not None and managed_database else None
    wanted = {
        "storage-encryption-key": store is AddonState.MANAGED,
        "storage-access-key": store is not AddonState.OFF,
        "storage-secret-key": store is not AddonState.OFF,
        "vector-db-password": engine is VectorEngine.PGVECTOR,
        "vector-db-api-key": engine is VectorEngine.QDRANT,
        "grafana-password": state(config, Addon.OBSERVABILITY) is AddonState.MANAGED,
    }
    return tuple(key for key in SECRETS if wanted[key])
