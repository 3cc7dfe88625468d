"""From what an environment wants to what will be built: pure, and either complete or refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from corral.catalogue.vocabulary import Addon, AddonState
from corral.controls.exceptions import today
from corral.stacks.config.errors import ConfigErrors, PlanErrors, Problem, Unpinned
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.adapters import adapter_problems, with_locked
from corral.stacks.planning.addons import addon_plans, addon_states, secrets_of
from corral.stacks.planning.admission import admission_plan
from corral.stacks.planning.batches import batch_plans
from corral.stacks.planning.budget import over_budget
from corral.stacks.planning.cluster import cluster_plan, supply_plan
from corral.stacks.planning.defaults import ModelRequest, model_requests, namespaces
from corral.stacks.planning.device_requests import allocator
from corral.stacks.planning.digests import artifacts, digests_of, repositories
from corral.stacks.planning.fast_start import fast_start_problems, model_caches, pre_pulls
from corral.stacks.planning.gateway import gateway_plan
from corral.stacks.planning.gpu_pools.allocators import PoolAllocator, pool_allocator
from corral.stacks.planning.gpu_pools.disaggregated import place_decode, place_prefill
from corral.stacks.planning.gpu_pools.pipeline import place_across
from corral.stacks.planning.gpu_pools.placement import PoolPlacement, Replica, place
from corral.stacks.planning.model_files import stored_bytes, unlocked
from corral.stacks.planning.pricing import cost
from corral.stacks.planning.quotas import device_classes, over_quota, shares
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.secrets import held_here, secrets_plan
from corral.stacks.planning.serving_plan import model_plans
from corral.stacks.planning.sovereignty import QUOTAS, policy_plan, stopping, unpinned
from corral.stacks.planning.stores import observability_plan, storage_plan, too_small, vector_db_plan
from corral.stacks.planning.tenants import tenant_plans
from corral.stacks.planning.validation.checks import check

Placing = Callable[[str, Replica, Sequence[PoolAllocator]], PoolPlacement | Problem]
NOTHING_LOCKED: Mapping[str, LockedModel] = {}


def plan(
    config: StackConfig,
    stack: str,
    locked: Mapping[str, LockedModel] = NOTHING_LOCKED,
    day: date | None = None,
    *,
    pinned: bool = True,
) -> Plan:
    """The plan of stack `stack`; `locked` has the files of its models by name.

    `day`: by which exceptions from controls end; today's when absent. `pinned`: whether a digest or a model's
    files that are not locked yet are a problem where the profile needs them.

    Raises:
        ConfigErrors: sections of the stack file contradict each other, the catalogue or the profile.
        PlanErrors: a model fits nowhere, a pool is full, digests are missing in a profile that needs them,
            tenants ask for more GPUs than there are, or the
            budget does not hold.
    """
    sovereignty, pools, day = config.sovereignty, config.gpu_pools, day or today()
    states = addon_states(config.addons, config.sections, config.model_storage.kind)
    if invalid := tuple(check(config, states, day)):
        raise ConfigErrors(invalid)

    problems: list[Problem] = []
    tenants = namespaces(config.tenants)
    stated = model_requests(config.served_models, config.known_models, tenants)
    requests = tuple(with_locked(one, locked) for one in stated)
    allocators = [pool_allocator(pool) for pool in pools]
    needs = [Replica(one.config, one.spec, one.engine, one.context) for one in requests]
    placed = [placing(one)(one.path, need, allocators) for one, need in zip(requests, needs, strict=True)]
    apart = {
        one.config.name: place_prefill(f"{one.path}.prefill", need, allocators, decode)
        for one, need, decode in zip(requests, needs, placed, strict=True)
        if one.config.prefill is not None and not isinstance(decode, Problem)
    }
    problems += [one for one in (*placed, *apart.values()) if isinstance(one, Problem)]
    problems += unlocked(requests, locked, sovereignty.profile)
    problems += adapter_problems(requests, locked, sovereignty.profile)
    problems += fast_start_problems(requests, placed, pools, locked)
    problems += too_small(config.model_storage, requests, locked)
    vectors = config.vector_db and config.vector_db.engine
    tools = config.images.tools
    engines = {one.engine for one in requests}
    used = artifacts(states, vectors, engines, sovereignty.registry, prefill=bool(apart))
    digests = digests_of(used, tools)
    problems += unpinned(sovereignty, digests)
    if not pinned:
        problems = [one for one in problems if not isinstance(one, Unpinned)]
    if problems:
        raise PlanErrors(problems)

    chosen = [one for one in placed if not isinstance(one, Problem)]
    finished = [one.finish() for one in allocators]
    by = allocator(states[Addon.DRA_DRIVER])
    queued = states[Addon.KUEUE] is not AddonState.OFF
    filled = tuple(pool for pool, _ in finished)
    replicas = {model: places for _, placements in finished for model, places in placements.items()}
    models = model_plans(
        requests,
        chosen,
        {name: one for name, one in apart.items() if not isinstance(one, Problem)},
        replicas,
        {pool.name: pool for pool in pools},
        by,
        locked,
        config.model_sources,
    )
    caches = model_caches(models, pools)
    kept = {one.pool for one in caches}
    filled = tuple(replace(pool, keeps_models=pool.name in kept) for pool in filled)
    origins = (one.origin for model in models for one in (model, *model.adapters))
    sources = tuple(dict.fromkeys(one for one in origins if one is not None))
    quotas = shares(config.tenants, config.fair_sharing, tenants, filled, models, by=by, queued=queued)
    counted = stopping(sovereignty, QUOTAS)
    owners = tenant_plans(config.tenants, tenants, models, quotas, by=by, queued=queued, counted=counted)
    endpoint = gateway_plan(config.gateway, config.token_limits, owners, models, config.cluster.capabilities)
    keys = (
        *secrets_of(states, vectors, sovereignty, config.observability, config.model_storage.kind),
        *(key for one in sources for key in one.secrets),
    )
    kind = config.model_storage.kind
    here = tuple(key for key in keys if held_here(config.secrets, states, kind, key))
    away = [key for key in keys if key not in here]
    made = Plan(
        stack=stack,
        profile=sovereignty.profile,
        region=sovereignty.region_name,
        country=sovereignty.country,
        cluster=cluster_plan(config.cluster, sovereignty, stack),
        allocator=by,
        supply=supply_plan(sovereignty, tools),
        addons=addon_plans(states, vectors),
        pools=filled,
        models=models,
        storage=storage_plan(config.model_storage, sovereignty.region_name, stored_bytes(requests, locked)),
        vector_db=vector_db_plan(config.vector_db),
        observability=observability_plan(config.observability),
        gateway=endpoint,
        tenants=owners,
        policy=policy_plan(sovereignty, repositories(used, sovereignty.registry, tools), day),
        admission=admission_plan(sovereignty, config.cluster, states, tenants, config.tenants),
        digests=digests,
        cost=cost(pools, filled, models, region=sovereignty.region_name, budget=config.budget),
        shares=quotas,
        device_classes=device_classes(quotas.offered, by),
        sources=sources,
        batches=batch_plans(config.batches, models),
        model_caches=caches,
        pre_pulls=pre_pulls(models, pools),
        secrets_needed=here,
        secrets=secrets_plan(config.secrets, sovereignty.region_name, away, endpoint),
    )
    refused = [
        *over_quota(config.tenants, pools, made),
        *over_budget(config.budget, pools, sovereignty.region_name, made.cost),
    ]
    if refused:
        raise PlanErrors(refused)
    return made


def placing(request: ModelRequest) -> Placing:
    """What finds devices for `request`."""
    if request.config.pipeline_parallel > 1:
        return place_across
    return place if request.config.prefill is None else place_decode
