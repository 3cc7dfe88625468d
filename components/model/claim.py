"""How a replica asks for GPU devices: dynamic resource allocation."""

from typing import Any

from corral.components.model.args import DeviceClaim

DRIVER = "gpu.nvidia.com"
"""DRA driver that names the attributes."""
REQUEST = "gpu"


def claim_spec(claim: DeviceClaim) -> dict[str, Any]:
    """`spec` of the ResourceClaimTemplate."""
    attributes = {"profile": claim.get("profile"), "productName": claim.get("product")}
    selectors = [
        {"cel": {"expression": f"device.attributes['{DRIVER}'].{attribute} == '{value}'"}}
        for attribute, value in attributes.items()
        if value is not None
    ]
    exactly: dict[str, Any] = {
        "deviceClassName": claim["device_class"],
        "allocationMode": "ExactCount",
        "count": claim.get("count", 1),
    }
    if selectors:
        exactly["selectors"] = selectors
    return {"spec": {"devices": {"requests": [{"name": REQUEST, "exactly": exactly}]}}}
