"""Arguments of Model."""

from typing import NotRequired, TypedDict, cast

from corral.catalogue.sources import secret_part
from corral.catalogue.vocabulary import ServingKind
from corral.components.fair_sharing import FairSharing, TenantQueues
from corral.components.keda import Keda
from corral.components.kserve import KServe
from corral.components.llm_inference_service import LlmInferenceService
from corral.components.lws import LeaderWorkerSets
from corral.components.model import (
    DeviceClaim,
    DeviceResource,
    LoraAdapter,
    ModelArgs,
    ModelScaling,
    NodeCache,
    Prefill,
    SourceAccess,
)
from corral.components.model_cache import ModelCache
from corral.components.model_storage import ModelStorage
from corral.components.observability import Observability, operated
from corral.components.priority_classes import BATCH, PriorityClasses
from corral.components.secret_store import SecretStore
from corral.components.tenancy import Tenancy
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.secrets import secret
from corral.stacks.planning.results.models import (
    AdapterPlan,
    ClaimPlan,
    ModelPlan,
    PrefillPlan,
    ResourcePlan,
    ScalingPlan,
    SourcePlan,
)


def model_args(context: DeployContext, model: ModelPlan) -> ModelArgs:
    """A model in its tenant's namespace."""
    built = context.built
    tenancy, kserve, storage = built.get(Tenancy), built.get(KServe), built.get(ModelStorage)
    sharing, queues = built.get(FairSharing), built.get(TenantQueues)
    args: ModelArgs = {
        "namespace": model.namespace if tenancy is None else tenancy.namespaces[model.tenant],
        "engine": model.engine,
        "arguments": list(model.args),
        "supply": context.supply,
        "weights": model.weights,
        "source": model.source,
        "files": [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in model.files],
        "license": model.license,
        "path": model.storage_path,
        "replicas_min": model.replicas_min,
        "replicas_max": model.replicas_max,
        "memory_gib": model.host_memory_gib,
        "pool": model.pool,
        "tenant": model.tenant,
        **_devices(model.claim),
        **context.watched(),
    }
    data_class = next((one.data_class for one in context.plan.tenants if one.name == model.tenant), None)
    if data_class is not None:
        args["data_class"] = data_class.value
    if model.prefill is not None:
        args["prefill"] = _prefill(model.prefill)
    if model.scaling is not None:
        args["scaling"] = _scaling(context, model.scaling)
    if model.time_to_first_token is not None:
        args["time_to_first_token_seconds"] = model.time_to_first_token
    if model.environment:
        args["environment"] = dict(model.environment)
    if model.kind is not ServingKind.INFERENCE_SERVICE:
        args["kind"] = model.kind
        controller = built.get(LlmInferenceService)
        if controller is not None:
            args["llm_controller"] = controller.namespace
    if model.nodes > 1:
        args["nodes"] = model.nodes
        sets = built.get(LeaderWorkerSets)
        if sets is not None:
            args["lws"] = sets.namespace
    if kserve is not None:
        args["runtime"] = kserve.runtimes[model.engine.value]
    if model.unlocked:
        args["unlocked"] = True
    if model.unlocked or model.unsafe:
        args["unsafe_files"] = True
    if model.origin is not None:
        args["source_access"] = _access(model.origin, context.secret_store)
    caches = built.get(ModelCache)
    if caches is not None and model.local_cache:
        kept: NodeCache = {"node_group": caches.node_groups[model.pool], "size_gib": model.files_gib}
        args["cache"] = kept
    if model.adapters:
        args["adapters"] = [_adapter(context, one) for one in model.adapters]
    if storage is not None:
        args["store"] = storage.store
    if queues is not None and sharing is not None:
        args["queue"], args["priority"] = queues.queue, sharing.priorities[model.priority.value]
    classes = built.get(PriorityClasses)
    if classes is not None:
        args["priority_class"] = classes.names[model.priority.value]
        args["import_priority_class"] = classes.names[BATCH]
    return args


def _adapter(context: DeployContext, plan: AdapterPlan) -> LoraAdapter:
    adapter: LoraAdapter = {
        "name": plan.name,
        "source": plan.source,
        "files": [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in plan.files],
        "license": plan.license,
        "path": plan.storage_path,
    }
    if not plan.files:
        adapter["unlocked"] = True
    if plan.origin is not None:
        adapter["source_access"] = _access(plan.origin, context.secret_store)
    return adapter


def _scaling(context: DeployContext, plan: ScalingPlan) -> ModelScaling:
    args: ModelScaling = {"cooldown_seconds": plan.cooldown}
    if context.plan.gateway is not None:
        args["timeout_seconds"] = context.plan.gateway.timeout_seconds
    if plan.concurrency is not None:
        args["concurrency"] = plan.concurrency
    if plan.request_rate is not None:
        args["request_rate"] = plan.request_rate
    if plan.triggers:
        args["triggers"] = [{"metric": one.metric, "threshold": one.threshold} for one in plan.triggers]
        made = context.built.get(Observability)
        args["prometheus"] = operated(context.scraper) if made is None else made.prometheus
    keda = context.built.get(Keda)
    if keda is not None:
        args["keda"] = keda.namespace
    return args


def _prefill(plan: PrefillPlan) -> Prefill:
    return {
        "arguments": list(plan.args),
        "replicas": plan.replicas,
        "memory_gib": plan.host_memory_gib,
        "pool": plan.pool,
        **_devices(plan.claim),
    }


class _Devices(TypedDict):
    claim: NotRequired[DeviceClaim]
    resource: NotRequired[DeviceResource]


def _devices(asked: ClaimPlan | ResourcePlan) -> _Devices:
    match asked:
        case ClaimPlan():
            return {"claim": _claim(asked)}
        case ResourcePlan():
            return {"resource": {"name": asked.name, "count": asked.count}}


def _claim(claim: ClaimPlan) -> DeviceClaim:
    args: DeviceClaim = {"device_class": claim.device_class, "count": claim.count}
    if claim.product is not None:
        args["product"] = claim.product
    return args


def _access(source: SourcePlan, store: SecretStore | None) -> SourceAccess:
    plain = {"endpoint": source.endpoint, "region": source.region}
    stated = {key: value for key, value in plain.items() if value is not None}
    if store is not None:
        stored = {secret_part(key): key for key in source.secrets}
        return cast(SourceAccess, {**stated, "secret_store": store, "stored": stored} if stored else stated)
    held = {secret_part(key): secret(key) for key in source.secrets}
    return cast(SourceAccess, {**stated, **{part.replace("-", "_"): value for part, value in held.items()}})
