"""Arguments of Kyverno."""

from corral.catalogue.vocabulary import Addon
from corral.components.kyverno import KyvernoArgs
from corral.stacks.deploy.component_args.context import DeployContext


def kyverno_args(context: DeployContext) -> KyvernoArgs:
    """Kyverno with as many replicas as the cluster has room for."""
    args: KyvernoArgs = {
        **context.installed(Addon.KYVERNO),
        "upgrade_job": context.capabilities.upgrade_jobs,
    }
    if context.capabilities.controller_replicas is not None:
        args["replicas"] = context.capabilities.controller_replicas
    return args
