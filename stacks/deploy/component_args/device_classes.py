"""Arguments of DeviceClasses."""

from corral.components.device_classes import DeviceClassesArgs
from corral.stacks.deploy.component_args.context import DeployContext


def device_classes_args(context: DeployContext) -> DeviceClassesArgs | None:
    """A class per MIG profile; None: the plan has none."""
    classes = context.plan.device_classes
    if not classes:
        return None
    return {"slices": [{"name": one.name, "profile": one.profile} for one in classes]}
