"""DeviceClasses for MIG slices: quotas count devices by class, so every profile that is counted has one."""

from typing import Any, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import checked, child, labels, token
from corral.components.model.claim import DRIVER

COMPONENT = "device-classes"


class SliceClass(TypedDict):
    """The class of one MIG profile."""

    name: str
    """Name of the DeviceClass, such as `mig-1g-5gb.corral.dev`."""
    profile: str
    """MIG profile as the driver reports it, such as `1g.5gb`."""


class DeviceClassesArgs(TypedDict):
    """Which classes there are."""

    slices: list[SliceClass]
    """One per MIG profile."""


class DeviceClasses(pulumi.ComponentResource):
    """DeviceClasses of MIG profiles on the cluster given as provider."""

    def __init__(self, name: str, args: DeviceClassesArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, DeviceClassesArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        for one in args["slices"]:
            # A class may change under claims that are allocated: they keep their device.
            kubernetes.resource.v1.DeviceClass(
                f"{name}-{one['profile']}",
                metadata={"name": one["name"], "labels": labels(COMPONENT, name)},
                spec=cast(Any, {"selectors": [{"cel": {"expression": slices_of(one["profile"])}}]}),
                opts=child(self),
            )
        self.register_outputs({})


def slices_of(profile: str) -> str:
    """CEL that is true of the driver's slices of `profile`, and false, without error, of all else."""
    attributes = f"device.attributes['{DRIVER}']"
    return f"device.driver == '{DRIVER}' && {attributes}.type == 'mig' && {attributes}.profile == '{profile}'"
