"""Arguments of CertManager."""

from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager, CertManagerArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def cert_manager_args(context: DeployContext) -> CertManagerArgs:
    """cert-manager as the plan has it."""
    return {**context.installed(Addon.CERT_MANAGER), **context.watched(Addon.CERT_MANAGER)}


WIRING = Wiring(CertManager, cert_manager_args)
