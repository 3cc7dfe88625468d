"""Images whose task is the node itself."""

import re

from corral.catalogue.images import images, mirrored
from corral.controls.profiles import Profile

_DRIVERS = (
    "aws-efa-k8s-device-plugin",
    "dra-driver-nvidia-gpu",
    "gpu-operator",
    "kserve-localmodelnode-agent",
    "node-exporter",
    "node-feature-discovery",
)
"""Names in the catalogue, or charts, of such images."""


def drivers(profile: Profile) -> str:
    """Regular expression (RE2) of the catalogue's images whose task is the node itself."""
    names = {
        re.escape(mirrored(entry.repository, profile.registry))
        for entry in images().values()
        if entry.name in _DRIVERS or entry.brought_by in _DRIVERS
    }
    return f"^({'|'.join(sorted(names))})[:@]".replace(r"\-", "-")
