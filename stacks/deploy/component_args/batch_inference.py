"""Arguments of BatchInference."""

from corral.components.batch_inference import Batch, BatchInferenceArgs
from corral.components.model_storage import ModelStorage
from corral.components.priority_classes import BATCH, PriorityClasses
from corral.components.tenancy import Tenancy
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.planning.results.batches import BatchPlan


def batch_inference_args(context: DeployContext) -> BatchInferenceArgs | None:
    """The batches of the plan; None: it has none."""
    storage = context.built.get(ModelStorage)
    store = None if storage is None else storage.batches
    if store is None:
        return None
    args: BatchInferenceArgs = {
        "batches": [_batch(context, one) for one in context.plan.batches],
        "store": store,
        "supply": context.supply,
    }
    classes = context.built.get(PriorityClasses)
    if classes is not None:
        args["priority_class"] = classes.names[BATCH]
    return args


def _batch(context: DeployContext, plan: BatchPlan) -> Batch:
    tenancy = context.built.get(Tenancy)
    return {
        "name": plan.name,
        "namespace": plan.namespace if tenancy is None else tenancy.namespaces[plan.tenant],
        "tenant": plan.tenant,
        "model": plan.asked_for,
        "url": context.models[plan.model].url,
        "schedule": plan.schedule,
        "time_zone": plan.time_zone,
        "input": plan.input,
        "output": plan.output,
        "concurrency": plan.concurrency,
        "deadline_seconds": plan.deadline,
    }
