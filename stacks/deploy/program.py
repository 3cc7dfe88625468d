"""From the plan to components: it only wires."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from corral.catalogue.vocabulary import (
    Addon,
    AddonState,
    Allocator,
    ClusterKind,
    SharingKind,
    VectorEngine,
)
from corral.components.admission import Admission, AdmissionArgs
from corral.components.cert_manager import CertManager
from corral.components.crds import Crds, CrdSet
from corral.components.device_classes import DeviceClasses, SliceClass
from corral.components.dra_driver import DraDriver, DraDriverArgs
from corral.components.fair_sharing import Door, FairSharing, TenantQueues
from corral.components.gpu_node_pool import ExistingGpuNodePool, ExistingGpuNodePoolArgs
from corral.components.gpu_operator import (
    GpuOperator,
)
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno
from corral.components.model import Model, ModelArgs
from corral.components.model_storage import ModelStorage, ModelStorageArgs
from corral.components.observability import Observability, ObservabilityArgs
from corral.components.tenancy import Tenancy
from corral.components.vector_db import VectorDatabase, VectorDatabaseArgs
from corral.stacks.deploy.clusters.target import provider, supply_of
from corral.stacks.deploy.component_args.values import (
    database_doors,
    device_claim,
    device_count,
    mig_configuration,
    model_store,
    object_controls,
    placements_of,
    pool_node,
    shared_gpus,
    sharing_tenant,
    tenant_args,
)
from corral.stacks.planning.results.plan import (
    ClaimPlan,
    ModelPlan,
    Plan,
    PoolPlan,
    ResourcePlan,
)

Options = pulumi.ResourceOptions | None
GIB = 1 << 30
SERVER_GIB = 2
"""Memory of a model server beside its weights, on the host."""
STORE_PORT = 8333
CREDENTIALS = {
    VectorEngine.PGVECTOR: "vector-db-password",
    VectorEngine.QDRANT: "vector-db-api-key",
}


class Platform:
    """Everything that one plan asks for, on one cluster."""

    outputs: Mapping[str, pulumi.Input[Any]]
    """What `pulumi stack output` shows."""

    def __init__(self, plan: Plan):
        self._plan = plan
        self._embedded = plan.cluster.kind is ClusterKind.EMBEDDED
        self._provider = provider(plan)
        self._supply = supply_of(plan)
        self._monitors = plan.state(Addon.PROMETHEUS_CRDS) is not AddonState.OFF
        self._built: dict[Addon, list[pulumi.Resource]] = {}
        self._install(Addon.GATEWAY_API, Crds, set=CrdSet.GATEWAY_API)
        self._install(Addon.CERT_MANAGER, CertManager)
        self._install(Addon.PROMETHEUS_CRDS, Crds, set=CrdSet.PROMETHEUS)
        # The Job of an upgrade is a program that the process node does not have.
        shape = {"replicas": 1, "migrate": False} if self._embedded else {"replicas": 3}
        self._install(Addon.KYVERNO, Kyverno, **shape)
        self._admission()
        self._install(Addon.KSERVE, KServe, Addon.CERT_MANAGER)
        self._gpu_operator()
        self._dra_driver()
        pools = [*self._device_classes(), *(self._pool(pool) for pool in plan.pools)]
        self._sharing = self._fair_sharing()
        tenancy = self._tenancy()
        self._queues = self._tenant_queues(tenancy)
        storage = self._model_storage()
        database = self._vector_db()
        watch = self._observability()
        models = {model.name: self._model(model, tenancy, storage, pools) for model in plan.models}
        self.outputs = {
            "endpoints": {name: model.url for name, model in models.items()},
            "placements": {model.name: placements_of(model) for model in plan.models},
            "vector-db": None
            if database is None
            else pulumi.Output.format("{}:{}", database.service, database.port),
            "bucket": None if storage is None else pulumi.Output.concat("s3://", storage.bucket),
            "grafana": None if watch is None else watch.grafana,
            "policy": self._policy(),
        }

    def _wanted(self, addon: Addon) -> bool:
        return self._plan.state(addon) is not AddonState.OFF

    def _existing(self, addon: Addon) -> bool:
        return self._plan.state(addon) is AddonState.EXISTING

    def _after(self, *addons: Addon) -> pulumi.ResourceOptions:
        """On our cluster, once these addons are there."""
        before = [resource for addon in addons for resource in self._built.get(addon, [])]
        return pulumi.ResourceOptions(provider=self._provider, depends_on=before)

    def _secret(self, key: str) -> pulumi.Output[str]:
        return pulumi.Config("corral").require_secret(key)

    def _tenant_namespaces(self) -> list[str]:
        return [tenant.namespace for tenant in self._plan.tenants]

    def _install(
        self,
        addon: Addon,
        component: Callable[[str, Any, Options], pulumi.Resource],
        *after: Addon,
        **more: Any,
    ) -> None:
        """One component for one addon, unless the addon is off."""
        if self._wanted(addon):
            args = {"supply": self._supply, "existing": self._existing(addon), **more}
            self._built[addon] = [component(addon.value, args, self._after(*after))]

    def _admission(self) -> None:
        addon = Addon.ADMISSION
        if self._plan.state(addon) is not AddonState.MANAGED:
            return
        args: AdmissionArgs = {
            "controls": object_controls(),
            "profile": self._plan.profile.value,
            "kyverno": self._wanted(Addon.KYVERNO),
        }
        if self._plan.supply.registry is not None:
            args["registry"] = self._plan.supply.registry
        self._built[addon] = [Admission(addon.value, args, self._after(Addon.KYVERNO))]

    def _gpu_operator(self) -> None:
        configurations = [config for pool in self._plan.pools for config in pool.mig_configs]
        branch = self._plan.cluster.precompiled_driver
        self._install(
            Addon.GPU_OPERATOR,
            GpuOperator,
            Addon.PROMETHEUS_CRDS,
            platform=self._plan.cluster.platform,
            **({} if branch is None else {"precompiled_driver": branch}),
            mig_configurations=[mig_configuration(config) for config in configurations],
            shared_pools=[shared_gpus(pool) for pool in self._plan.pools if pool.shares > 1],
            dynamic_mig=any(pool.sharing is SharingKind.MIG_DYNAMIC for pool in self._plan.pools),
            dra_driver=self._plan.state(Addon.DRA_DRIVER),
            monitors=self._monitors,
        )

    def _dra_driver(self) -> None:
        addon = Addon.DRA_DRIVER
        if self._plan.state(addon) is not AddonState.MANAGED:
            return
        args: DraDriverArgs = {
            "platform": self._plan.cluster.platform,
            "supply": self._supply,
            "dynamic_mig": any(pool.sharing is SharingKind.MIG_DYNAMIC for pool in self._plan.pools),
        }
        self._built[addon] = [DraDriver(addon.value, args, self._after(Addon.PROMETHEUS_CRDS))]

    def _pool(self, pool: PoolPlan) -> pulumi.Resource:
        if not pool.existing:
            raise pulumi.RunError(
                f"gpu-pools.{pool.name}.nodes: made on demand; a {self._plan.cluster.kind.value} cluster "
                "needs {names: […]} of nodes that are there"
            )
        args: ExistingGpuNodePoolArgs = {
            "pool": pool.name,
            "nodes": [pool_node(pool, node) for node in pool.nodes],
        }
        cost = self._plan.cost
        price = next(one.node_hour for one in cost.pools if one.pool == pool.name)
        if price is not None:
            args["node_hour"] = {"amount": float(price), "currency": cost.currency}
        # The label names a layout, which must be there first.
        return ExistingGpuNodePool(pool.name, args, self._after(Addon.GPU_OPERATOR, Addon.DRA_DRIVER))

    def _device_classes(self) -> Sequence[pulumi.Resource]:
        slices: list[SliceClass] = [
            {"name": one.name, "profile": one.profile} for one in self._plan.device_classes
        ]
        return [DeviceClasses("device-classes", {"slices": slices}, self._after())] if slices else []

    def _fair_sharing(self) -> FairSharing | None:
        addon, found = Addon.KUEUE, self._plan.shares
        if not self._wanted(addon):
            return None
        classes = {one.device.resource: one.device.counted_as for one in found.offered}
        made = FairSharing(
            addon.value,
            {
                "supply": self._supply,
                "tenants": [sharing_tenant(tenant) for tenant in found.tenants],
                "offered": [device_count(one) for one in found.offered],
                "classes": [
                    {"resource": resource, "device_class": name}
                    for resource, name in classes.items()
                    if self._plan.allocator is Allocator.DRA_DRIVER
                ],
                "borrowing": found.borrowing,
                "ready_within_minutes": found.ready_within,
                "replicas": 1 if self._embedded else 2,
                "monitors": self._monitors,
                "existing": self._existing(addon),
            },
            self._after(Addon.PROMETHEUS_CRDS, Addon.ADMISSION),
        )
        self._built[addon] = [made]
        return made

    def _tenant_queues(self, tenancy: Tenancy | None) -> TenantQueues | None:
        if self._sharing is None:
            return None
        doors: list[Door] = [
            {
                "tenant": one.tenant,
                "namespace": one.namespace if tenancy is None else tenancy.namespaces[one.tenant],
            }
            for one in self._plan.shares.tenants
        ]
        made = TenantQueues("tenant-queues", {"tenants": doors}, self._after(Addon.KUEUE))
        self._built[Addon.KUEUE].append(made)
        return made

    def _tenancy(self) -> Tenancy | None:
        addon = Addon.TENANCY
        if not self._wanted(addon):
            return None
        store = self._plan.addon(Addon.MODEL_STORAGE).namespace
        watch = self._plan.addon(Addon.OBSERVABILITY).namespace
        return Tenancy(
            addon.value,
            {
                "tenants": [tenant_args(tenant, self._plan.allocator) for tenant in self._plan.tenants],
                "reachable": [{"namespace": store, "port": STORE_PORT}, *database_doors(self._plan)],
                "callers": [watch],
                "existing": self._existing(addon),
            },
            # A quota is gone only after the workloads that it let in, and those go with their namespaces.
            self._after(Addon.KUEUE),
        )

    def _model_storage(self) -> ModelStorage | None:
        addon, asked = Addon.MODEL_STORAGE, self._plan.storage
        if not self._wanted(addon):
            return None
        args: ModelStorageArgs = {
            "kind": asked.kind,
            "bucket": asked.bucket,
            "access_key": self._secret("storage-access-key"),
            "secret_key": self._secret("storage-secret-key"),
            "supply": self._supply,
            "endpoint": asked.endpoint,
            "region": asked.region,
            "size_gib": asked.size_gib,
            "clients": self._tenant_namespaces(),
            "scraper": self._plan.addon(Addon.OBSERVABILITY).namespace,
            "monitors": self._monitors,
            "protect": not self._embedded,
            "namespace": self._plan.addon(addon).namespace,
        }
        if not self._existing(addon):
            args["encryption_key"] = self._secret("storage-encryption-key")
        return ModelStorage(addon.value, args, self._after(Addon.PROMETHEUS_CRDS, Addon.ADMISSION))

    def _vector_db(self) -> VectorDatabase | None:
        addon, asked = Addon.VECTOR_DB, self._plan.vector_db
        if asked is None or not self._wanted(addon):
            return None
        args: VectorDatabaseArgs = {
            "engine": asked.engine,
            "supply": self._supply,
            "size_gib": asked.size_gib,
            "replicas": asked.replicas,
            "clients": self._tenant_namespaces(),
            "scraper": self._plan.addon(Addon.OBSERVABILITY).namespace,
            "monitors": self._monitors,
            "protect": not self._embedded,
            "existing": self._existing(addon),
            "namespace": asked.namespace,
        }
        if not self._existing(addon):
            args["credential"] = self._secret(CREDENTIALS[asked.engine])
        before = (Addon.CERT_MANAGER, Addon.PROMETHEUS_CRDS, Addon.ADMISSION)
        return VectorDatabase(addon.value, args, self._after(*before))

    def _observability(self) -> Observability | None:
        addon, asked = Addon.OBSERVABILITY, self._plan.observability
        if asked is None or not self._wanted(addon):
            return None
        args: ObservabilityArgs = {
            "supply": self._supply,
            "retention_days": asked.retention_days,
            "size_gib": asked.size_gib,
            "existing": self._existing(addon),
            "namespace": asked.namespace,
        }
        if not self._existing(addon):
            args["grafana_password"] = self._secret("grafana-password")
        return Observability(addon.value, args, self._after(Addon.PROMETHEUS_CRDS))

    def _model(
        self,
        model: ModelPlan,
        tenancy: Tenancy | None,
        storage: ModelStorage | None,
        pools: Sequence[pulumi.Resource],
    ) -> Model:
        space = model.namespace if tenancy is None else tenancy.namespaces[model.tenant]
        args: ModelArgs = {
            "namespace": space,
            "engine": model.engine,
            "arguments": list(model.args),
            "supply": self._supply,
            "weights": model.weights,
            "source": model.source,
            "files": [{"name": file.name, "sha256": file.sha256} for file in model.files],
            "license": model.license,
            "path": model.storage_path,
            "replicas_min": model.replicas_min,
            "replicas_max": model.replicas_max,
            "memory_gib": SERVER_GIB + -(-model.memory.weights // GIB),
            "pool": model.pool,
            "tenant": model.tenant,
            "monitors": self._monitors,
        }
        match model.claim:
            case ClaimPlan():
                args["claim"] = device_claim(model.claim)
            case ResourcePlan():
                args["resource"] = {"name": model.claim.name, "count": model.claim.count}
        if storage is not None:
            args["store"] = model_store(storage)
        if self._queues is not None and self._sharing is not None:
            args["queue"], args["priority"] = self._queues.queue, self._sharing.priority
        served = self._after(Addon.KSERVE, Addon.PROMETHEUS_CRDS, Addon.ADMISSION, Addon.KUEUE)
        marked = pulumi.ResourceOptions(depends_on=list(pools))
        return Model(model.name, args, pulumi.ResourceOptions.merge(served, marked))

    def _policy(self) -> Mapping[str, Any]:
        pins = self._plan.pins
        managed = self._plan.state(Addon.ADMISSION) is AddonState.MANAGED
        return {
            "profile": self._plan.profile.value,
            "region": self._plan.region,
            "controls-at-admission": object_controls() if managed else [],
            "digests-resolved": pins.resolved,
            "digests-unresolved": len(pins.unresolved),
        }
