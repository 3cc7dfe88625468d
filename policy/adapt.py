"""Turns what CrossGuard hands over into what the controls evaluate."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi_policy import PolicyResource, ResourceValidationArgs
from pulumi_policy.proxy import UnknownValueError

from corral.controls.control import UNKNOWN, Resource
from corral.controls.workloads import workloads


def plain(value: Any) -> Any:
    """`value` as dicts and lists, each unknown leaf as `UNKNOWN`.

    The engine hands over every number as a float; a whole one becomes an integer, as the program has it.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        return {key: _item(fields, key) for key in fields}
    if isinstance(value, Sequence):
        items = cast(Sequence[Any], value)
        return [_item(items, index) for index in range(len(items))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _item(holder: Any, key: Any) -> Any:
    try:
        return plain(holder[key])
    except UnknownValueError:
        return UNKNOWN


def resource(args: ResourceValidationArgs | PolicyResource) -> Resource:
    """The resource of a resource policy, or one of a stack policy with those that its values come from."""
    sources = args.property_dependencies if isinstance(args, PolicyResource) else {}
    return Resource(
        type=args.resource_type,
        name=args.name,
        props=plain(args.props),
        urn=args.urn,
        provider=plain(args.provider.props) if args.provider else {},
        provider_name=args.provider.name if args.provider else "",
        ignore_changes=tuple(args.opts.ignore_changes),
        protect=bool(args.opts.protect),
        refers={key: tuple(one.urn for one in several) for key, several in sources.items()},
    )


def api_of(token: str) -> tuple[str, str]:
    """API version and kind that a type token of the Kubernetes provider stands for."""
    api_version, _, kind = token.partition(":")[2].rpartition(":")
    return api_version.removeprefix("core/"), kind


def kubernetes_workloads(token: str, props: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The workloads within a Kubernetes resource of type `token`; none of another provider's."""
    if not token.startswith("kubernetes:"):
        return ()
    api_version, kind = api_of(token)
    stated = {"apiVersion": api_version, "kind": kind}
    return tuple(workloads({**props, **stated}))
