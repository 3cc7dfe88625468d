"""What has the shape of a container, or of several, in a resource of any kind."""

from collections.abc import Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN

SINGLE = ("container", "script")
SEVERAL = ("steps", "sidecars", "initContainers", "ephemeralContainers")
"""Keys under which Argo, Tekton and KServe have containers."""


def is_container(value: Any) -> bool:
    """Whether `value` is one container."""
    return isinstance(value, Mapping) and "image" in value and "repository" not in value


def are_containers(value: Any) -> bool:
    """Whether `value` is a list of containers, whatever is known of them."""
    if not isinstance(value, list):
        return False
    several = cast(list[Any], value)
    return bool(several) and all(item is UNKNOWN or isinstance(item, Mapping) for item in several)


def without(value: Any, absent: object) -> Any:
    """`value` less the fields and items that are `absent`: None, or `UNKNOWN`."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        return {key: without(item, absent) for key, item in fields.items() if item is not absent}
    if isinstance(value, list):
        return [without(item, absent) for item in cast(list[Any], value) if item is not absent]
    return value
