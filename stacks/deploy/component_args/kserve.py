"""Arguments of KServe."""

from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager
from corral.components.kserve import KServe, KServeArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def kserve_args(context: DeployContext) -> KServeArgs:
    """KServe as the plan has it."""
    args: KServeArgs = {**context.installed(Addon.KSERVE), **context.watched}
    cert_manager = context.built.get(CertManager)
    if cert_manager is not None:
        args["cert_manager"] = cert_manager.namespace
    return args


WIRING = Wiring(KServe, kserve_args)
