"""Arguments of ModelStorage."""

from corral.catalogue.vocabulary import Addon
from corral.components.batch_inference import BatchInference
from corral.components.model_retention import ModelRetention
from corral.components.model_storage import ModelStorage, ModelStorageArgs
from corral.stacks.deploy.component_args.batch_inference import batch_inference_args
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.component_args.model_retention import model_retention_args
from corral.stacks.deploy.secrets import secret
from corral.stacks.deploy.wiring import FurtherWiring, Wiring


def model_storage_args(context: DeployContext) -> ModelStorageArgs:
    """The object store of models."""
    store, addon, bucket = context.plan.storage, Addon.MODEL_STORAGE, context.bucket
    args: ModelStorageArgs = {
        **context.volumes,
        "kind": store.kind,
        "bucket": store.bucket if bucket is None else bucket.name,
        "supply": context.supply,
        "endpoint": store.endpoint if bucket is None else bucket.endpoint,
        "region": store.region,
        "size_gib": store.size_gib,
        "clients": context.tenant_namespaces,
        "scraper": context.scraper,
        **context.watched(addon),
        "protect": context.capabilities.protects_data,
        "namespace": context.plan.addon(addon).namespace,
    }
    if tenants := [*dict.fromkeys(one.tenant for one in context.plan.batches)]:
        args["batch_tenants"] = tenants
    secrets = context.secret_store
    if bucket is None and secrets is not None and context.existing(addon):
        args["secret_store"] = secrets
    elif bucket is None:
        args["access_key"], args["secret_key"] = secret("storage-access-key"), secret("storage-secret-key")
    if not context.existing(addon):
        args["encryption_key"] = secret("storage-encryption-key")
    return args


WIRING = Wiring(ModelStorage, model_storage_args)
NEEDED = (Addon.ADMISSION, Addon.TENANCY)
FURTHER = [
    FurtherWiring(BatchInference, batch_inference_args, name="batches", after=NEEDED, calls_models=True),
    FurtherWiring(
        ModelRetention,
        model_retention_args,
        name="retention",
        after=NEEDED,
        calls_models=True,
        awaits_models=True,
    ),
]
