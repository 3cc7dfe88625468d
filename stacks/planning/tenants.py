"""Tenants with their namespaces, models and limits, from section `tenants`."""

from collections.abc import Mapping, Sequence

from corral.catalogue.vocabulary import Allocator
from corral.stacks.config.stack_config import TenantSection
from corral.stacks.planning.quotas import device_limits
from corral.stacks.planning.results.fair_sharing import FairSharingPlan
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.tenants import TenantPlan


def tenant_plans(
    sections: Sequence[TenantSection],
    namespaces: Mapping[str, str],
    models: Sequence[ModelPlan],
    shares: FairSharingPlan,
    *,
    by: Allocator,
    queued: bool,
    counted: bool,
) -> tuple[TenantPlan, ...]:
    """Every tenant; `namespaces`: by tenant. `queued`: whether there are queues.

    `counted`: whether the profile wants the GPUs of each limited.
    """
    classes = {tenant.name: tenant.data_class for tenant in sections}
    callers = {tenant.name: tenant.callers for tenant in sections}
    return tuple(
        TenantPlan(
            name,
            space,
            classes.get(name),
            tuple(model.name for model in models if model.tenant == name and model.canary_of is None),
            callers.get(name, ()),
            tuple(device_limits(sections, shares, name, by=by, queued=queued, demanded=counted).items()),
        )
        for name, space in namespaces.items()
    )
