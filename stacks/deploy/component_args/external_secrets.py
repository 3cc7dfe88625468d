"""Arguments of ExternalSecrets."""

from typing import cast

import pulumi

from corral.catalogue.vocabulary import Addon, StorageKind
from corral.components.external_secrets import ExternalSecrets, ExternalSecretsArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def external_secrets_args(context: DeployContext) -> ExternalSecretsArgs | None:
    """The operator with the store of the plan; None: the plan has none."""
    plan, addon = context.plan.secrets, Addon.EXTERNAL_SECRETS
    if plan is None:
        return None
    readers = [one.namespace for one in context.plan.addons if one.namespace and context.enabled(one.addon)]
    if context.plan.storage.kind is StorageKind.EXISTING:
        readers += context.tenant_namespaces
    namespaces: list[pulumi.Input[str]] = [*sorted(set(readers))]
    args: ExternalSecretsArgs = {
        **context.installed(addon),
        "store": plan.store,
        "provider": plan.provider,
        "namespaces": namespaces,
        "namespace": context.plan.addon(addon).namespace,
    }
    if context.capabilities.controller_replicas is not None:
        args["replicas"] = context.capabilities.controller_replicas
    return cast(ExternalSecretsArgs, {**args, **plan.stated})


WIRING = Wiring(ExternalSecrets, external_secrets_args)
