"""Who asks for GPUs: by which extended resources and claims, in CEL and in the properties of a stack."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Undecided

GPU = r"(?i)/.*(gpu|mig-|gaudi|tpu|neuron|accel)|^(gpu|cloud-tpus)[.][^/]*/"
"""An extended resource, or the key of a taint, that is of GPUs or their like."""
CLASS = r"(?i)gpu|mig|nvidia|gaudi|tpu|neuron"
"""A DeviceClass of GPUs."""
CLAIMED = (
    "kubernetes:resource.k8s.io/",
    ("ResourceClaim", "ResourceClaimPatch", "ResourceClaimTemplate", "ResourceClaimTemplatePatch"),
)
"""Beginning and kinds of the types of resources by which DRA is asked."""


def _listed(container: str, key: str) -> str:
    return (
        f"(has({container}.resources.{key}) && {container}.resources.{key}.exists(k, "
        f"k.contains('/') && k.matches({text(GPU)}) && string({container}.resources.{key}[k]) != '0'))"
    )


def asks(container: str) -> str:
    """CEL: whether a container asks for devices: by an extended resource of GPUs, or by a claim."""
    return (
        f"(has({container}.resources) && ({_listed(container, 'limits')} || "
        f"{_listed(container, 'requests')} || "
        f"(has({container}.resources.claims) && size({container}.resources.claims) > 0)))"
    )


ASKS = f"variables.containers.exists(c, {asks('c')})"
"""CEL: whether a container of an object asks for devices."""


def requested(value: Any) -> Iterator[str]:
    """Names of the extended resources of GPUs that containers anywhere in `value` ask for.

    Raises:
        Undecided: what a container asks for is not known yet.
    """
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from requested(item)
    elif isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            if item is UNKNOWN and key in ("resources", "containers"):
                raise Undecided(f"`{key}` is not known yet")
            if key == "resources" and isinstance(item, Mapping):
                yield from _named(cast(Mapping[str, Any], item))
            else:
                yield from requested(item)


def _named(resources: Mapping[str, Any]) -> Iterator[str]:
    for part in ("limits", "requests"):
        amounts = resources.get(part)
        if amounts is UNKNOWN:
            raise Undecided(f"`resources.{part}` is not known yet")
        if isinstance(amounts, Mapping):
            for name, amount in cast(Mapping[str, Any], amounts).items():
                if re.search(GPU, name) and str(amount) not in ("0", "None"):
                    yield name


def classes(props: Mapping[str, Any]) -> Iterator[str]:
    """DeviceClasses of GPUs that a claim, or a template of claims, asks for in any version of its API."""
    for name in _classes(props.get("spec")):
        if re.search(CLASS, name):
            yield name


def _classes(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _classes(item)
    elif isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            if key == "deviceClassName" and isinstance(item, str):
                yield item
            elif item is not UNKNOWN:
                yield from _classes(item)


def claims(token: str) -> bool:
    """Whether resources of type `token` ask DRA for devices."""
    start, kinds = CLAIMED
    return token.startswith(start) and token.rpartition(":")[2] in kinds
