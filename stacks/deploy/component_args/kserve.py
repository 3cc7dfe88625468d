"""Arguments of KServe."""

from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager
from corral.components.crds import Crds
from corral.components.kserve import KServeArgs
from corral.stacks.deploy.component_args.context import DeployContext


def kserve_args(context: DeployContext, cert_manager: CertManager | None, types: Crds | None) -> KServeArgs:
    """KServe as the plan has it."""
    args: KServeArgs = {**context.installed(Addon.KSERVE), **context.watched_with(types)}
    if cert_manager is not None:
        args["cert_manager"] = cert_manager.namespace
    return args
