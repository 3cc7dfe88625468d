"""Arguments of Admission."""

from corral.catalogue.vocabulary import Addon, AddonState, AdmissionScope
from corral.components._kit import PodSecurity
from corral.components.admission import Admission, AdmissionArgs
from corral.components.kyverno import Kyverno
from corral.controls.control import ObjectRule
from corral.controls.register import CONTROLS
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def object_controls() -> list[str]:
    """IDs of the controls that concern one object, and so can be evaluated at admission."""
    return [one.id for one in CONTROLS if isinstance(one.rule, ObjectRule) and one.rule.admitted]


def admission_args(context: DeployContext) -> AdmissionArgs | None:
    """The controls of the profile; None: somebody else answers for admission."""
    plan = context.plan
    if plan.state(Addon.ADMISSION) is not AddonState.MANAGED:
        return None
    args: AdmissionArgs = {
        "controls": object_controls(),
        "profile": plan.profile.value,
        "kyverno": context.enabled(Addon.KYVERNO),
        "buckets": [plan.storage.bucket],
        "scope": plan.admission.scope,
        "own_serving": plan.state(Addon.KSERVE) is AddonState.MANAGED,
        "kyverno_namespace": plan.addon(Addon.KYVERNO).namespace,
    }
    kyverno = context.built.get(Kyverno)
    if kyverno is not None:
        args["kyverno_types"] = kyverno.namespace
    if plan.admission.scope is AdmissionScope.CLUSTER:
        args["exempt_namespaces"] = list(plan.admission.exempt)
    if plan.admission.pod_security is not None:
        args["pod_security"] = PodSecurity(plan.admission.pod_security)
    if plan.supply.registry is not None:
        args["registry"] = plan.supply.registry
    return args


WIRING = Wiring(Admission, admission_args)
