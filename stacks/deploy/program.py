"""From the plan to components: it only wires."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import pulumi

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon
from corral.components.admission import Admission
from corral.components.cert_manager import CertManager
from corral.components.crds import Crds
from corral.components.device_classes import DeviceClasses
from corral.components.dra_driver import DraDriver
from corral.components.fair_sharing import FairSharing, TenantQueues
from corral.components.gpu_operator import GpuOperator
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno
from corral.components.model import Model
from corral.components.model_storage import ModelStorage
from corral.components.observability import Observability
from corral.components.tenancy import Tenancy
from corral.components.vector_db import VectorDatabase
from corral.stacks.deploy.clusters import connect
from corral.stacks.deploy.component_args.admission import admission_args
from corral.stacks.deploy.component_args.cert_manager import cert_manager_args
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.component_args.crds import gateway_api_args, prometheus_crds_args
from corral.stacks.deploy.component_args.device_classes import device_classes_args
from corral.stacks.deploy.component_args.dra_driver import dra_driver_args
from corral.stacks.deploy.component_args.fair_sharing import fair_sharing_args, tenant_queues_args
from corral.stacks.deploy.component_args.gpu_operator import gpu_operator_args
from corral.stacks.deploy.component_args.kserve import kserve_args
from corral.stacks.deploy.component_args.kyverno import kyverno_args
from corral.stacks.deploy.component_args.model import ModelDependencies, model_args
from corral.stacks.deploy.component_args.model_storage import model_storage_args
from corral.stacks.deploy.component_args.observability import observability_args
from corral.stacks.deploy.component_args.tenancy import tenancy_args
from corral.stacks.deploy.component_args.vector_db import vector_db_args
from corral.stacks.deploy.outputs import outputs
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import PoolPlan

Args = TypeVar("Args")
Built = TypeVar("Built", bound=pulumi.Resource)
Options = pulumi.ResourceOptions | None


class Platform:
    """Everything that a plan describes, on one cluster."""

    outputs: Mapping[str, pulumi.Input[Any]]
    """What `pulumi stack output` shows."""

    def __init__(self, plan: Plan):
        self._cluster = connect(plan)
        self._context = DeployContext.of(plan, self._cluster)
        self._built: dict[Addon, list[pulumi.Resource]] = {}

        self._add(Addon.GATEWAY_API, Crds, gateway_api_args)
        types = self._add(Addon.PROMETHEUS_CRDS, Crds, prometheus_crds_args)
        cert_manager = self._add(Addon.CERT_MANAGER, CertManager, partial(cert_manager_args, types=types))
        self._add(Addon.KYVERNO, Kyverno, partial(kyverno_args, types=types))
        self._add(Addon.ADMISSION, Admission, admission_args)
        served = partial(kserve_args, cert_manager=cert_manager, types=types)
        kserve = self._add(Addon.KSERVE, KServe, served)
        self._add(Addon.GPU_OPERATOR, GpuOperator, gpu_operator_args)
        self._add(Addon.DRA_DRIVER, DraDriver, dra_driver_args)
        pools = [self._pool(pool) for pool in plan.pools]
        classes = self._add(Addon.DRA_DRIVER, DeviceClasses, device_classes_args, "device-classes", after=())
        sharing = self._add(Addon.KUEUE, FairSharing, fair_sharing_args)
        # A quota is gone only after the workloads that it let in, and those go with their namespaces.
        tenancy = self._add(Addon.TENANCY, Tenancy, tenancy_args)
        queue_args = partial(tenant_queues_args, tenancy=tenancy)
        queues = self._add(Addon.KUEUE, TenantQueues, queue_args, "tenant-queues", after=(Addon.KUEUE,))
        storage = self._add(Addon.MODEL_STORAGE, ModelStorage, model_storage_args)
        database_args = partial(vector_db_args, cert_manager=cert_manager)
        database = self._add(Addon.VECTOR_DB, VectorDatabase, database_args)
        observability = self._add(Addon.OBSERVABILITY, Observability, observability_args)
        devices = [*([] if classes is None else [classes]), *pools]
        uses = ModelDependencies(kserve, tenancy, storage, sharing, queues)
        models = {model.name: self._model(model, uses, devices) for model in plan.models}

        self.outputs = outputs(
            plan, models=models, storage=storage, database=database, observability=observability
        )

    def _add(
        self,
        addon: Addon,
        component: Callable[[str, Args, Options], Built],
        args: Callable[[DeployContext], Args | None],
        name: str | None = None,
        after: Sequence[Addon] | None = None,
    ) -> Built | None:
        """A component of `addon`, after others; None: the addon is off, or has no arguments for it.

        `after`: in place of those that the addon's descriptor names.
        """
        values = args(self._context) if self._context.enabled(addon) else None
        if values is None:
            return None
        before = descriptor(addon).after if after is None else after
        built = component(name or addon.value, values, self._after(*before))
        self._built.setdefault(addon, []).append(built)
        return built

    def _after(self, *addons: Addon) -> pulumi.ResourceOptions:
        """On the cluster, once these addons are there."""
        before = [resource for addon in addons for resource in self._built.get(addon, [])]
        return pulumi.ResourceOptions(provider=self._cluster.provider, depends_on=before)

    def _pool(self, pool: PoolPlan) -> pulumi.Resource:
        # The label names a layout, which must be there first.
        after = self._after(Addon.GPU_OPERATOR, Addon.DRA_DRIVER)
        return self._cluster.node_pool(pool, self._context.plan.cost, after)

    def _model(self, model: ModelPlan, uses: ModelDependencies, devices: list[pulumi.Resource]) -> Model:
        args = model_args(self._context, model, uses)
        addons = self._after(Addon.KSERVE, Addon.PROMETHEUS_CRDS, Addon.ADMISSION, Addon.KUEUE)
        return Model(
            model.name,
            args,
            pulumi.ResourceOptions.merge(addons, pulumi.ResourceOptions(depends_on=devices)),
        )
