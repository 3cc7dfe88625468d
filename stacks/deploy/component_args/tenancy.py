"""Arguments of Tenancy."""

from corral.catalogue.stores import port_of
from corral.catalogue.vocabulary import Addon, Allocator
from corral.components.model_storage.seaweedfs import S3_PORT
from corral.components.priority_classes import PriorityClasses, PriorityClassesArgs
from corral.components.tenancy import Reachable, Tenancy, TenancyArgs, Tenant
from corral.components.vector_db.names import ENDPOINTS
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import FurtherWiring, Wiring
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.tenants import TenantPlan


def tenancy_args(context: DeployContext) -> TenancyArgs:
    """A namespace per tenant, from which the stores can be reached."""
    plan, bucket = context.plan, context.bucket
    args: TenancyArgs = {
        "tenants": [_tenant(tenant, plan.allocator) for tenant in plan.tenants],
        "supply": context.supply,
        **context.caches,
        "reachable": _stores(plan, in_cluster=bucket is None),
        "callers": [context.scraper, *_proxies(context), *_interceptors(plan)],
        "existing": context.existing(Addon.TENANCY),
    }
    if bucket is not None:
        args["addresses"] = list(bucket.addresses)
        args["metadata_server"] = bucket.metadata_server
    elif plan.storage.networks:
        args["addresses"] = [{"cidrs": list(plan.storage.networks), "port": port_of(plan.storage.endpoint)}]
    return args


def _proxies(context: DeployContext) -> list[str]:
    """Namespace of the gateway's proxies."""
    return [] if context.plan.gateway is None else [context.plan.addon(Addon.ENVOY_GATEWAY).namespace]


def _interceptors(plan: Plan) -> list[str]:
    """Namespace of what passes the calls of scaled models on."""
    scaled = any(model.scaling is not None for model in plan.models)
    return [plan.addon(Addon.KEDA).namespace] if scaled else []


def _stores(plan: Plan, *, in_cluster: bool) -> list[Reachable]:
    storage, database = plan.storage, plan.vector_db
    stores: list[Reachable] = []
    if storage.service_namespace is not None:
        # A Service has ports of its own: which its pods have, its address does not tell.
        stores.append({"namespace": storage.service_namespace})
    elif in_cluster and not storage.networks:
        stores.append({"namespace": plan.addon(Addon.MODEL_STORAGE).namespace, "port": S3_PORT})
    if database is not None:
        for port in ENDPOINTS[database.engine].ports:
            stores.append({"namespace": database.namespace, "port": port})
    return stores


def _tenant(tenant: TenantPlan, allocator: Allocator) -> Tenant:
    """A tenant, its limits by what hands GPUs out."""
    args: Tenant = {"name": tenant.name, "namespace": tenant.namespace}
    match allocator:
        case Allocator.DRA_DRIVER:
            args["devices"] = dict(tenant.limits)
        case Allocator.DEVICE_PLUGIN:
            args["resources"] = dict(tenant.limits)
    if tenant.callers:
        args["callers"] = list(tenant.callers)
    if tenant.data_class is not None:
        args["data_class"] = tenant.data_class.value
    return args


def priority_classes_args(context: DeployContext) -> PriorityClassesArgs | None:
    """Priorities of what tenants run; None: the cluster's side of tenancy is somebody else's."""
    return None if context.existing(Addon.TENANCY) else {}


WIRING = Wiring(Tenancy, tenancy_args)
FURTHER = [FurtherWiring(PriorityClasses, priority_classes_args, name="priority-classes")]
