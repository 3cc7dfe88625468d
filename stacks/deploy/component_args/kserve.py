"""Arguments of KServe."""

from corral.catalogue.vocabulary import Addon
from corral.components.kserve import KServeArgs
from corral.stacks.deploy.component_args.context import DeployContext


def kserve_args(context: DeployContext) -> KServeArgs:
    """KServe as the plan has it."""
    return {**context.installed(Addon.KSERVE)}
