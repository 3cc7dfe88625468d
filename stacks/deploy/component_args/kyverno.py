"""Arguments of Kyverno."""

from corral.catalogue.vocabulary import Addon, AdmissionScope
from corral.components.kyverno import Kyverno, KyvernoArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def kyverno_args(context: DeployContext) -> KyvernoArgs:
    """Kyverno with as many replicas as the cluster has room for."""
    plan = context.plan.admission
    args: KyvernoArgs = {
        **context.installed(Addon.KYVERNO),
        "upgrade_job": context.capabilities.upgrade_jobs,
        "scope": plan.scope,
        **context.watched(Addon.KYVERNO),
    }
    if plan.scope is AdmissionScope.CLUSTER:
        args["exempt_namespaces"] = list(plan.exempt)
    signatures = context.plan.policy.signatures
    if signatures is not None and signatures.registry_ca is not None:
        args["registry_ca"] = signatures.registry_ca
    if context.capabilities.controller_replicas is not None:
        args["replicas"] = context.capabilities.controller_replicas
    return args


WIRING = Wiring(Kyverno, kyverno_args)
