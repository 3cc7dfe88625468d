"""Turns what CrossGuard hands over into what the controls evaluate."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_policy import PolicyResource, ResourceValidationArgs
from pulumi_policy import deserialize as sdk
from pulumi_policy import proxy as marks

from corral.controls.control import UNKNOWN, Resource
from corral.controls.tasks import tasks
from corral.controls.workloads import workloads

_UNKNOWN = frozenset(
    {
        marks.UNKNOWN_ARCHIVE_VALUE,
        marks.UNKNOWN_ARRAY_VALUE,
        marks.UNKNOWN_ASSET_VALUE,
        marks.UNKNOWN_BOOLEAN_VALUE,
        marks.UNKNOWN_NUMBER_VALUE,
        marks.UNKNOWN_OBJECT_VALUE,
        marks.UNKNOWN_STRING_VALUE,
    }
)


def unpacked(struct: Any) -> dict[str, Any]:
    """The fields of protobuf's `Struct`: each unknown leaf is `UNKNOWN`, a secret what it holds.

    The engine hands over every number as a float; a whole one becomes an integer, as the program has it.

    Raises:
        AssertionError: an asset or a secret has no content.
    """
    return {key: _value(one) for key, one in struct.fields.items()}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in _UNKNOWN else text
    if kind == "struct_value":
        fields = unpacked(value.struct_value)
        return _special(fields) if sdk.SPECIAL_SIG_KEY in fields else fields
    if kind == "list_value":
        return [_value(one) for one in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _special(fields: dict[str, Any]) -> Any:
    """What fields with a signature stand for: the content of a secret, else an asset or an archive."""
    if fields[sdk.SPECIAL_SIG_KEY] == sdk.SPECIAL_SECRET_SIG and "value" in fields:
        return fields["value"]
    return sdk._deserialize_property(fields)  # pyright: ignore[reportPrivateUsage]


def resource(args: ResourceValidationArgs | PolicyResource) -> Resource:
    """The resource of a resource policy, or one of a stack policy with those that its values come from."""
    sources = args.property_dependencies if isinstance(args, PolicyResource) else {}
    return Resource(
        type=args.resource_type,
        name=args.name,
        props=args.props,
        urn=args.urn,
        provider=args.provider.props if args.provider else {},
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
    """The workloads within a resource of type `token`; of a cloud's, the containers that it runs itself."""
    if not token.startswith("kubernetes:"):
        return tuple(tasks(token, props))
    api_version, kind = api_of(token)
    stated = {"apiVersion": api_version, "kind": kind}
    return tuple(workloads({**props, **stated}))
