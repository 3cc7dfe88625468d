"""A container's environment and arguments as the kubelet would give them to it."""

import re
from collections.abc import Mapping
from typing import cast

from corral.embedded.kube import Object
from corral.embedded.node.sources import Missing, Sources, field, resource_field
from corral.embedded.objects import child, children

REFERENCE = re.compile(r"\$(?:\$|\((?P<name>[^()\s]+)\))")


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by the variable; `$$` is a plain `$`, an unknown name stays as it is.

    >>> expand("$(A)-$$(A)-$(B)", {"A": "1"})
    '1-$(A)-$(B)'
    """

    def value(match: re.Match[str]) -> str:
        name = match["name"]
        return "$" if name is None else env.get(name, match[0])

    return REFERENCE.sub(value, text)


def environment(
    pod: Object, container: Object, sources: Sources, addresses: Mapping[str, str]
) -> dict[str, str]:
    """Variables of `container`, `envFrom` first, then `env` in order with earlier ones expanded.

    Raises:
        Missing: a Secret, ConfigMap or key that is not optional is not there.
        ValueError: an unknown field.
    """
    variables: dict[str, str] = {}
    for source in children(container, "envFrom"):
        variables.update(_from(pod, source, sources))
    for entry in children(container, "env"):
        value = _value(pod, container, entry, sources, addresses, variables)
        if value is not None:
            variables[str(entry["name"])] = value
    return variables


def _from(pod: Object, source: Object, sources: Sources) -> dict[str, str]:
    prefix = source.get("prefix", "")
    kind = "secret" if "secretRef" in source else "configMap"
    content = sources.read(kind, pod["metadata"]["namespace"], source[f"{kind}Ref"]) or {}
    return {prefix + key: value.decode() for key, value in content.items()}


def _value(
    pod: Object,
    container: Object,
    entry: Object,
    sources: Sources,
    addresses: Mapping[str, str],
    before: Mapping[str, str],
) -> str | None:
    origin = child(entry, "valueFrom")
    if not origin:
        return expand(str(entry.get("value") or ""), before)
    if "fieldRef" in origin:
        return field(pod, str(origin["fieldRef"]["fieldPath"]), addresses)
    if "resourceFieldRef" in origin:
        return resource_field(pod, container["name"], origin["resourceFieldRef"])
    kind = "secret" if "secretKeyRef" in origin else "configMap"
    if f"{kind}KeyRef" not in origin:
        raise ValueError(f"env {entry['name']}: valueFrom {', '.join(origin)} is not supported here")
    reference = cast(Object, origin[f"{kind}KeyRef"])
    content = sources.read(kind, pod["metadata"]["namespace"], reference)
    if content is not None and reference["key"] in content:
        return content[reference["key"]].decode()
    if not reference.get("optional"):
        raise Missing(f'key "{reference["key"]}" not found in "{reference["name"]}"')
    return None
