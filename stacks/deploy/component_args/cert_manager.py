"""Arguments of CertManager."""

from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManagerArgs
from corral.components.crds import Crds
from corral.stacks.deploy.component_args.context import DeployContext


def cert_manager_args(context: DeployContext, types: Crds | None) -> CertManagerArgs:
    """cert-manager as the plan has it."""
    return {**context.installed(Addon.CERT_MANAGER), **context.watched_with(types)}
