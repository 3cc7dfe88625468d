"""Arguments of ModelRetention."""

from corral.catalogue.vocabulary import Weights
from corral.components.model_retention import ModelRetentionArgs
from corral.components.model_storage import ModelStorage
from corral.stacks.deploy.component_args.context import DeployContext


def model_retention_args(context: DeployContext) -> ModelRetentionArgs | None:
    """What stays beside the models of the plan; None: everything does, or there is none."""
    storage, previous = context.built.get(ModelStorage), context.plan.storage.previous_imports
    real = [one for one in context.plan.models if one.weights is Weights.REAL]
    served = {one.name: one.storage_path for model in real for one in (model, *model.adapters)}
    if storage is None or previous is None or not served:
        return None
    return {
        "served": served,
        "previous": previous,
        "store": storage.store,
        "supply": context.supply,
    }
