"""Which GPUs are whose: from what tenants ask for, what their models need and what the pools have."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from corral.catalogue.vocabulary import Addon, AddonState, Allocator, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import FairSharing, GpuPool, TenantSection
from corral.stacks.config.values import WHOLE
from corral.stacks.planning.device_requests import CLOSED, counted_as, device_class, queued_as
from corral.stacks.planning.mig.guarantee import guarantee, room_for_all
from corral.stacks.planning.mig.layouts import layout
from corral.stacks.planning.mig.vectors import vector
from corral.stacks.planning.results.fair_sharing import (
    CountedDevice,
    DeviceClassPlan,
    FairSharingPlan,
    Quota,
    TenantShare,
)
from corral.stacks.planning.results.models import ClaimPlan, ModelPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import PoolPlan, in_words

MAPPINGS = 16
"""DeviceClasses that Kueue counts (`validateDeviceClassMappings`, kueue v0.19.2)."""
LISTED = 64
"""Flavours, and resources, of a ClusterQueue's group (its CRD, kueue v0.19.2)."""

Kind = tuple[str, str | None]
"""(pool, MIG profile); no profile: whole GPUs, or equal shares of them."""


def device_classes(offered: Sequence[Quota], by: Allocator) -> tuple[DeviceClassPlan, ...]:
    """DeviceClasses that the program makes: one per MIG profile on offer, none without a DRA driver."""
    if by is Allocator.DEVICE_PLUGIN:
        return ()
    profiles = dict.fromkeys(one.device.profile for one in offered if one.device.profile is not None)
    return tuple(DeviceClassPlan(device_class(profile), profile) for profile in profiles)


def shares(
    sections: Sequence[TenantSection],
    sharing: FairSharing | None,
    namespaces: Mapping[str, str],
    pools: Sequence[PoolPlan],
    models: Sequence[ModelPlan],
    *,
    by: Allocator,
    queued: bool,
) -> FairSharingPlan:
    """Who has what of `pools`, whether or not anything lends it on; `namespaces`: by tenant."""
    stated = {tenant.name: tenant for tenant in sections}
    needed = {name: _needed([model for model in models if model.tenant == name]) for name in namespaces}
    owned = {name: _own(stated.get(name), needed[name]) for name in namespaces}
    remaining = _offered(pools, owned.values())
    offered = tuple(Quota(_device(kind, pools, by), count) for kind, count in remaining.items())
    sharing = sharing or FairSharing(borrowing=False)
    return FairSharingPlan(
        borrowing=sharing.borrowing and queued,
        ready_within=sharing.ready_within,
        offered=offered,
        tenants=tuple(
            TenantShare(
                tenant=name,
                namespace=space,
                weight=(stated[name].weight if name in stated else None) or 1,
                guaranteed=tuple(Quota(one.device, owned[name][_kind(one)]) for one in offered),
                needed=tuple(Quota(one.device, needed[name][_kind(one)]) for one in offered),
            )
            for name, space in namespaces.items()
        ),
    )


def device_limits(
    sections: Sequence[TenantSection],
    shares: FairSharingPlan,
    tenant: str,
    *,
    by: Allocator,
    queued: bool,
    demanded: bool,
) -> Mapping[str, int]:
    """Most devices of `tenant`, by DeviceClass or extended resource; empty: without limit.

    `demanded`: whether the profile wants a limit for tenants of which none is stated.

    A class that cuts across the others, and every kind that a tenant has no part in, is closed to it. Where
    there are queues they count the rest: a limit counts what waits, too, and would keep devices from what a
    queue lets in.
    """
    limited = demanded or any(one.name == tenant and one.gpus is not None for one in sections)
    if not limited and not queued:
        return {}
    share = next(one for one in shares.tenants if one.tenant == tenant)
    most: Counter[str] = Counter()
    for own, all_of_them in zip(share.guaranteed, shares.offered, strict=True):
        most[own.device.counted_as] += all_of_them.count if shares.borrowing else own.count
    limits = {**dict.fromkeys(CLOSED[by], 0), **most}
    return {name: count for name, count in limits.items() if not (queued and count)}


def _offered(pools: Sequence[PoolPlan], owned: Iterable[Counter[Kind]]) -> Counter[Kind]:
    """Devices of each kind, in the order of the pools; of slices cut on demand those that are owned."""
    claimed = sum(owned, Counter[Kind]())
    counts: Counter[Kind] = Counter()
    for pool in pools:
        if pool.sharing is SharingKind.MIG_DYNAMIC:
            counts += Counter({kind: count for kind, count in claimed.items() if kind[0] == pool.name})
        else:
            counts += Counter((pool.name, one.profile) for gpu in pool.gpus for one in gpu.slices)
    return counts


def _device(kind: Kind, pools: Sequence[PoolPlan], by: Allocator) -> CountedDevice:
    name, profile = kind
    pool = next(pool for pool in pools if pool.name == name)
    return CountedDevice(
        pool=name,
        profile=profile,
        words=in_words(profile, pool.shares),
        counted_as=counted_as(by, profile, pool.shares),
        resource=queued_as(by, profile, pool.shares),
    )


def _kind(one: Quota) -> Kind:
    return one.device.pool, one.device.profile


def _needed(models: Sequence[ModelPlan]) -> Counter[Kind]:
    """What models have at their most replicas; where a slice is cut on demand, it has no place yet."""
    counts: Counter[Kind] = Counter()
    for model in models:
        for one in model.workloads:
            profile = one.claim.profile if isinstance(one.claim, ClaimPlan) else None
            kinds = [place.profile for place in one.placements] or [profile] * model.replicas_max
            for kind in kinds:
                counts[(one.pool, kind)] += one.claim.count
    return counts


def _own(tenant: TenantSection | None, needed: Counter[Kind]) -> Counter[Kind]:
    """What is the tenant's own: what it asks for, else what its models need."""
    return needed if tenant is None or tenant.gpus is None else _counts(tenant.gpus)


def _counts(gpus: Mapping[str, int | Mapping[str, int]]) -> Counter[Kind]:
    counts: Counter[Kind] = Counter()
    for pool, what in gpus.items():
        slices = {WHOLE: what} if isinstance(what, int) else what
        for profile, count in slices.items():
            counts[(pool, None if profile == WHOLE else profile)] += count
    return counts


def over_quota(tenants: Sequence[TenantSection], pools: Sequence[GpuPool], made: Plan) -> Iterator[Problem]:
    """Why what tenants ask for cannot be theirs."""
    shares = made.shares
    for index, tenant in enumerate(tenants):
        if tenant.gpus is not None:
            yield from _beyond(tenants, pools, shares, index)
    for pool in made.pools:
        if pool.sharing is SharingKind.MIG_DYNAMIC:
            yield from _in_every_order(tenants, pool, shares)
    if made.state(Addon.KUEUE) is not AddonState.OFF:
        yield from _too_many(made)


def _in_every_order(
    tenants: Sequence[TenantSection], pool: PoolPlan, shares: FairSharingPlan
) -> Iterator[Problem]:
    """Slices that are owned, and that may not find their place once others have theirs."""
    counts = {one.device.profile: one.count for one in shares.offered if one.device.pool == pool.name}
    demand = vector(pool.gpu, layout(pool.gpu, {key: count for key, count in counts.items() if key}))
    if room_for_all(pool.gpu, demand, len(pool.gpus)):
        return
    promised = guarantee(pool.gpu, demand)
    needed = len(pool.gpus) + 1 if promised is None else promised.needed
    words = ", ".join(f"{count} x {profile}" for profile, count in counts.items())
    for index, tenant in enumerate(tenants):
        if pool.name in (tenant.gpus or {}):
            reason = (
                f"all tenants together have {words}; in the worst order in which pods come that takes "
                f"{needed} GPUs, and pool {pool.name} has {len(pool.gpus)}: use fewer, or more nodes"
            )
            yield Problem(f"tenants[{index}].gpus.{pool.name}", words, reason)


def _beyond(
    tenants: Sequence[TenantSection], pools: Sequence[GpuPool], shares: FairSharingPlan, index: int
) -> Iterator[Problem]:
    """What one tenant asks for beyond what is there, or beside what its models need."""
    gpus = tenants[index].gpus or {}
    offered = {_kind(one): one for one in shares.offered}
    share = shares.tenants[index]
    for kind, count in _counts(gpus).items():
        path = _path(index, kind, gpus)
        if kind not in offered:
            yield Problem(path, str(count), f"pool {kind[0]} {_cut(pools, kind[0], shares)}")
            continue
        before = sum(_of(other.guaranteed, kind) for other in _before(tenants, shares, index))
        left = offered[kind].count - before
        if count > left:
            held = f", and other tenants have {before}" if before else ""
            words = offered[kind].device.words
            reason = f"pool {kind[0]} has {offered[kind].count} x {words}{held}: use {max(left, 0)} at most"
            yield Problem(path, str(count), f"{reason}{_auto(pools, kind[0])}")
    for need in share.needed:
        own = _of(share.guaranteed, _kind(need))
        if need.count > own:
            need_words = f"{need.count} x {need.device.words}"
            reason = f"its models need {need_words}: use {need.count} or more, or fewer replicas"
            yield Problem(_path(index, _kind(need), gpus), str(own or "missing"), reason)


def _before(tenants: Sequence[TenantSection], shares: FairSharingPlan, index: int) -> list[TenantShare]:
    """Tenants that are served before the one at `index`: those that ask for nothing, then by their place."""
    return [
        share
        for place, (tenant, share) in enumerate(zip(tenants, shares.tenants, strict=True))
        if place != index and (tenant.gpus is None or place < index)
    ]


def _of(quotas: Sequence[Quota], kind: Kind) -> int:
    return next((one.count for one in quotas if _kind(one) == kind), 0)


def _path(index: int, kind: Kind, gpus: Mapping[str, int | Mapping[str, int]]) -> str:
    pool, profile = kind
    path = f"tenants[{index}].gpus.{pool}"
    if profile is None and not isinstance(gpus.get(pool), Mapping):
        return path
    return f"{path}.{profile or WHOLE}"


def _cut(pools: Sequence[GpuPool], pool: str, shares: FairSharingPlan) -> str:
    devices = [f"{one.count} x {one.device.words}" for one in shares.offered if one.device.pool == pool]
    return f"has {', '.join(devices)}{_auto(pools, pool)}"


def _auto(pools: Sequence[GpuPool], pool: str) -> str:
    auto = any(one.name == pool and one.sharing.mig == "auto" for one in pools)
    return "; auto cuts what models need, a layout in sharing.mig what else there should be" if auto else ""


def _too_many(made: Plan) -> Iterator[Problem]:
    """More than one queue can hold."""
    kinds = {one.device.resource for one in made.shares.offered}
    most = MAPPINGS if made.allocator is Allocator.DRA_DRIVER else LISTED
    if len(kinds) > most:
        yield Problem(
            "gpu-pools", f"{len(kinds)} kinds of devices", f"Kueue counts at most {most}: cut fewer"
        )
    if len(made.pools) > LISTED:
        yield Problem(
            "gpu-pools", f"{len(made.pools)} pools", f"a queue has at most {LISTED}: use larger pools"
        )
