"""From what an environment wants to what will be built: pure, and either complete or refused."""

from collections.abc import Mapping, Sequence

from corral.catalogue.clusters import built_kinds
from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import (
    Addon,
    AddonState,
    Profile,
)
from corral.controls.profiles import profile
from corral.stacks.config.errors import ConfigErrors, PlanErrors, Problem, Unpinned
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.addons import charts_in, namespace, secrets_of, state
from corral.stacks.planning.budget import over_budget
from corral.stacks.planning.defaults import ModelRequest, model_requests, namespaces, node_platform
from corral.stacks.planning.device_requests import allocator
from corral.stacks.planning.digests import digests_of, repositories
from corral.stacks.planning.gpu_pools.allocators import PoolAllocator, pool_allocator
from corral.stacks.planning.gpu_pools.placement import PoolPlacement, place
from corral.stacks.planning.model_files import model_files, pinned_source, unlocked
from corral.stacks.planning.pricing import cost
from corral.stacks.planning.quotas import device_classes, device_limits, over_quota, shares
from corral.stacks.planning.results.addons import AddonPlan, ChartPlan
from corral.stacks.planning.results.cluster import ClusterPlan, SupplyPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.sovereignty import PolicyPlan
from corral.stacks.planning.results.tenants import TenantPlan
from corral.stacks.planning.serving_plan import model_plan
from corral.stacks.planning.stores import observability_plan, storage_plan, vector_db_plan
from corral.stacks.planning.validation.checks import check

NOTHING_LOCKED: Mapping[str, LockedModel] = {}


def plan(config: StackConfig, stack: str, locked: Mapping[str, LockedModel] = NOTHING_LOCKED) -> Plan:
    """The plan of stack `stack`; `locked` has the files of its models by name.

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
    if not config.cluster.capabilities.built:
        words = ", ".join(kind.value for kind in built_kinds())
        problems.append(Problem("cluster.kind", config.cluster.kind.value, f"this version builds {words}"))
    tenants = namespaces(config.tenants)
    requests = model_requests(config.models, config.known_models, tenants)
    allocators = [pool_allocator(pool) for pool in config.gpu_pools]
    placed = [place(one.path, one.config, one.spec, one.engine, one.context, allocators) for one in requests]
    problems += [one for one in placed if isinstance(one, Problem)]
    problems += unlocked(requests, locked)
    chosen = [one for one in placed if not isinstance(one, Problem)]
    found = digests_of(config, {one.engine for one in requests})
    if found.unresolved and config.sovereignty.profile is not Profile.OPEN:
        problems.append(_unpinned(config.sovereignty.profile, found.resolved, found.unresolved))
    if problems:
        raise PlanErrors(problems)
    made = _complete(config, stack, tenants, requests, chosen, allocators, locked)
    refused = [
        *over_quota(config.tenants, config.gpu_pools, made),
        *over_budget(config.budget, config.gpu_pools, config.sovereignty.region, made.cost),
    ]
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
    locked: Mapping[str, LockedModel],
) -> Plan:
    wanted = config.sovereignty
    finished = [one.finish() for one in allocators]
    replicas = {model: places for _plan, placements in finished for model, places in placements.items()}
    products = {pool.name: pool.gpu for pool in config.gpu_pools}
    by = allocator(state(config, Addon.DRA_DRIVER))
    queued = state(config, Addon.KUEUE) is not AddonState.OFF
    limits = profile(wanted.profile.value, region=wanted.region, registry=wanted.registry)
    engines = {one.engine for one in requests}
    classes = {tenant.name: tenant.data_class for tenant in config.tenants}
    pools = tuple(pool for pool, _ in finished)
    served = tuple(
        model_plan(
            one,
            placement,
            replicas[one.config.name],
            gpus()[products[placement.pool]],
            by,
            pinned_source(one.config, one.spec, locked),
            model_files(one.config, one.spec, locked),
        )
        for one, placement in zip(requests, chosen, strict=True)
    )
    quotas = shares(config.tenants, config.fair_sharing, tenants, pools, served, by=by, queued=queued)
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
        storage=storage_plan(config.model_storage, wanted.region),
        vector_db=vector_db_plan(config.vector_db),
        observability=observability_plan(config.observability),
        tenants=tuple(
            TenantPlan(
                name,
                space,
                classes.get(name),
                tuple(one.config.name for one in requests if one.tenant == name),
                tuple(device_limits(config.tenants, quotas, name, by=by, queued=queued).items()),
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
        cost=cost(config.gpu_pools, pools, served, region=wanted.region, budget=config.budget),
        shares=quotas,
        device_classes=device_classes(quotas.offered, by),
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
