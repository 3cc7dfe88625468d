"""Values of a plan in the shape that components take."""

from typing import Any

from corral.catalogue.vocabulary import Allocator
from corral.components.fair_sharing import DeviceCount, SharingTenant
from corral.components.gpu_node_pool import PoolNode
from corral.components.gpu_operator import MigConfiguration, MigGpus, SharedBy, SharedGpus
from corral.components.model import DeviceClaim, ModelStore
from corral.components.model_storage import ModelStorage
from corral.components.tenancy import Reachable, Tenant
from corral.components.vector_db.names import DOORS
from corral.controls.control import ObjectRule
from corral.controls.register import CONTROLS
from corral.stacks.planning.results.fair_sharing import Quota, TenantShare
from corral.stacks.planning.results.models import ClaimPlan, ModelPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import MigConfig, NodePlan, PoolPlan
from corral.stacks.planning.results.tenants import TenantPlan


def database_doors(plan: Plan) -> list[Reachable]:
    """Where tenants find the vector database."""
    asked = plan.vector_db
    if asked is None:
        return []
    return [{"namespace": asked.namespace, "port": port} for port in DOORS[asked.engine].ports]


def object_controls() -> list[str]:
    """Controls that judge one object, and so can at admission."""
    return [control.id for control in CONTROLS if isinstance(control.rule, ObjectRule)]


def mig_configuration(config: MigConfig) -> MigConfiguration:
    """A layout of a node's GPUs."""
    return {"name": config.name, "gpus": [_gpus(one.devices, one.layout) for one in config.entries]}


def _gpus(devices: tuple[int, ...] | None, layout: tuple[tuple[str, int], ...]) -> MigGpus:
    gpus: MigGpus = {"profiles": dict(layout)}
    if devices is not None:
        gpus["devices"] = list(devices)
    return gpus


def shared_gpus(pool: PoolPlan) -> SharedGpus:
    """How the GPUs of a pool are shared by a device plugin."""
    return {"name": pool.name, "by": SharedBy(pool.sharing.value), "shares": pool.shares}


def pool_node(pool: PoolPlan, node: NodePlan) -> PoolNode:
    """A node with what its labels say."""
    marked: PoolNode = {"name": node.name}
    if node.mig_config is not None:
        marked["mig_config"] = node.mig_config
    if pool.shares > 1:
        marked["device_plugin_config"] = pool.name
    return marked


def tenant_args(tenant: TenantPlan, by: Allocator) -> Tenant:
    """A tenant, its limits by what hands GPUs out."""
    known: Tenant = {"name": tenant.name, "namespace": tenant.namespace}
    match by:
        case Allocator.DRA_DRIVER:
            known["devices"] = dict(tenant.limits)
        case Allocator.DEVICE_PLUGIN:
            known["resources"] = dict(tenant.limits)
    if tenant.data_class is not None:
        known["data_class"] = tenant.data_class.value
    return known


def sharing_tenant(share: TenantShare) -> SharingTenant:
    """A tenant with what is its own."""
    own = [device_count(one) for one in share.guaranteed if one.count]
    return {
        "name": share.tenant,
        "namespace": share.namespace,
        "weight": share.weight,
        "guaranteed": own,
    }


def device_count(one: Quota) -> DeviceCount:
    """So many devices of a kind."""
    return {"pool": one.device.pool, "resource": one.device.resource, "count": one.count}


def device_claim(claim: ClaimPlan) -> DeviceClaim:
    """What a replica claims from a DRA driver."""
    wanted: DeviceClaim = {"device_class": claim.device_class, "count": claim.count}
    if claim.product is not None:
        wanted["product"] = claim.product
    return wanted


def model_store(storage: ModelStorage) -> ModelStore:
    """The store as its readers and writers see it."""
    return {
        "endpoint": storage.endpoint,
        "bucket": storage.bucket,
        "region": storage.region,
        "namespace": storage.namespace,
        "writer_secret": storage.writer_secret,
        "reader_access_key": storage.reader_access_key,
        "reader_secret_key": storage.reader_secret_key,
    }


def placements_of(model: ModelPlan) -> list[dict[str, Any]]:
    """Where replicas are, as the stack's output says it."""
    return [{"node": place.node, "gpu": place.gpu, "profile": place.profile} for place in model.placements]
