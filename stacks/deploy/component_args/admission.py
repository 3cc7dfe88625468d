"""Arguments of Admission."""

from corral.catalogue.vocabulary import Addon, AddonState
from corral.components.admission import AdmissionArgs
from corral.controls.control import ObjectRule
from corral.controls.register import CONTROLS
from corral.stacks.deploy.component_args.context import DeployContext


def object_controls() -> list[str]:
    """IDs of the controls that concern one object, and so can be evaluated at admission."""
    return [control.id for control in CONTROLS if isinstance(control.rule, ObjectRule)]


def admission_args(context: DeployContext) -> AdmissionArgs | None:
    """The controls of the profile; None: somebody else answers for admission."""
    plan = context.plan
    if plan.state(Addon.ADMISSION) is not AddonState.MANAGED:
        return None
    args: AdmissionArgs = {
        "controls": object_controls(),
        "profile": plan.profile.value,
        "kyverno": context.enabled(Addon.KYVERNO),
    }
    if plan.supply.registry is not None:
        args["registry"] = plan.supply.registry
    return args
