"""Arguments of components, checked before anything is registered: keys, types, ranges and names."""

from collections.abc import Awaitable, Iterable, Mapping
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

import pulumi

from corral.catalogue.formats import (
    ADDRESS,
    BUCKET,
    BUCKET_ADDRESS,
    CIDR,
    HOST_NAME,
    HTTPS_URL,
    LABEL,
    LABEL_VALUE,
    REGISTRY,
    SERVER_URL,
    SUBDOMAIN,
    TIME_ZONE,
    Format,
)

Args = TypeVar("Args", bound=Mapping[str, object])


class ArgsError(pulumi.RunError):
    """Arguments that a component refuses, one line per problem: path, value, and what is allowed."""


_TEXTS = {
    "bucket": BUCKET,
    "batch_tenants": LABEL,
    "buckets": BUCKET_ADDRESS,
    "callers": LABEL,
    "clients": LABEL,
    "data_class": LABEL_VALUE,
    "device_class": SUBDOMAIN,
    "PoolNode.device_plugin_config": LABEL_VALUE,
    "endpoint": SERVER_URL,
    "exempt_namespaces": LABEL,
    "PoolNode.mig_config": LABEL_VALUE,
    "host": HOST_NAME,
    "jwks": HTTPS_URL,
    "namespace": LABEL,
    "pull_secret": SUBDOMAIN,
    "registry": REGISTRY,
    "scraper": LABEL,
    "storage_class": SUBDOMAIN,
    "tenant": LABEL_VALUE,
    "Batch.model": LABEL,
    "Batch.name": LABEL,
    "Batch.time_zone": TIME_ZONE,
    "DeviceCount.pool": LABEL_VALUE,
    "ExistingGpuNodePoolArgs.pool": LABEL_VALUE,
    "GatewayArgs.issuer": SUBDOMAIN,
    "LoraAdapter.name": LABEL,
    "MigConfiguration.name": LABEL_VALUE,
    "ModelArgs.pool": LABEL_VALUE,
    "PoolNode.name": SUBDOMAIN,
    "RoutedCanary.model": LABEL,
    "RoutedCanary.name": LABEL,
    "RoutedTenant.models": LABEL,
    "RoutedTenant.name": LABEL,
    "SharedGpus.name": LABEL_VALUE,
    "ExternalSecretsArgs.server": SERVER_URL,
    "ExternalSecretsArgs.store": SUBDOMAIN,
    "ExternalSecretsArgs.namespaces": LABEL,
    "SharingTenant.name": LABEL,
    "SliceClass.name": SUBDOMAIN,
    "Tenant.name": LABEL,
    "TokenIssuer.issuer": HTTPS_URL,
    "TokenIssuer.network": CIDR,
    "dns_addresses": ADDRESS,
}
"""Format of a text, or of each text of a list, by key; `Shape.key` where the key alone has no one meaning."""
_RANGES: Mapping[str, tuple[int, int | None]] = {
    "amount": (0, None),
    "count": (0, None),
    "concurrency": (1, None),
    "ModelRetentionArgs.previous": (0, None),
    "deadline_seconds": (1, 86400),
    "DeviceClaim.count": (1, None),
    "DeviceResource.count": (1, None),
    "drain_seconds": (1, 86400),
    "max_body_mib": (1, 1024),
    "memory_gib": (1, None),
    "memory_mib": (1, None),
    "port": (1, 65535),
    "precompiled_driver": (1, None),
    "ready_within_minutes": (1, None),
    "replicas": (1, None),
    "replication_factor": (1, None),
    "replicas_max": (1, None),
    "replicas_min": (0, None),
    "requests_per_minute": (1, None),
    "retention_days": (1, None),
    "size_gib": (1, None),
    "timeout_seconds": (1, 86400),
    "weight": (0, None),
    "RoutedCanary.weight": (0, 100),
}
"""Least and greatest number by key, likewise."""


def checked(args: Args, shape: type[Args], owner: str) -> Args:
    """`args` themselves, when `shape` allows every key and value, and `owner` can be a label.

    Raises:
        ArgsError: with one line per problem.
    """
    refuse([*_text_problems(owner, LABEL_VALUE, f"name {owner!r}"), *_key_problems(args, shape, owner)])
    return args


def refuse(problems: Iterable[str]) -> None:
    """Nothing, when there is no problem.

    Raises:
        ArgsError: with one line per problem.
    """
    lines = list(problems)
    if lines:
        raise ArgsError("\n".join(lines))


@cache
def hints_of(shape: Any) -> Mapping[str, Any]:
    """Type of each key of a TypedDict, or of each attribute of a class."""
    # `pulumi.Input` holds the text `Output[T]`, which only the names of its own module resolve.
    return get_type_hints(shape, localns=vars(pulumi.output))


def _key_problems(value: object, shape: Any, where: str) -> Iterable[str]:
    hints = hints_of(shape)
    allowed = sorted(hints)
    if not isinstance(value, Mapping):
        yield f"{where}: expected a mapping with the keys {', '.join(allowed)}, got {_kind(value)}"
        return
    present = cast(Mapping[str, object], value)
    for key in sorted(set(present) - set(allowed), key=repr):
        yield f"{where}: unknown key {key!r}; allowed are {', '.join(allowed)}"
    for key in sorted(set(shape.__required_keys__) - set(present)):
        yield f"{where}: {key!r} is missing; allowed are {', '.join(allowed)}"
    for key, hint in hints.items():
        if key in present:
            path = f"{where}.{key}"
            wrong = list(_type_problems(present[key], hint, path))
            yield from wrong or _value_problems(present[key], shape.__name__, key, path)


def _type_problems(value: object, hint: Any, where: str) -> Iterable[str]:
    origin, inner = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        yield from _key_problems(value, hint, where)
    elif origin in (Union, UnionType):
        yield from _union_problems(value, inner, where)
    elif origin is list:
        if isinstance(value, list | tuple):
            for index, item in enumerate(cast(list[object], value)):
                yield from _type_problems(item, inner[0], f"{where}[{index}]")
        else:
            yield f"{where}: {_shown(value)} is not allowed; use a list"
    elif origin is dict:
        if isinstance(value, Mapping):
            for key, item in cast(Mapping[object, object], value).items():
                yield from _type_problems(key, inner[0], f"{where}, key {key!r}")
                yield from _type_problems(item, inner[1], f"{where}[{key!r}]")
        else:
            yield f"{where}: {_shown(value)} is not allowed; use a mapping"
    elif isinstance(hint, type):
        yield from _plain_problems(value, hint, where)


def _plain_problems(value: object, hint: type, where: str) -> Iterable[str]:
    if issubclass(hint, Enum):
        words = [str(member.value) for member in hint]
        if _is_output(value) or value not in words:
            yield f"{where}: {_shown(value)} is not allowed; use one of {', '.join(words)}"
    elif hint in _PLAIN and not _PLAIN[hint][0](value):
        yield f"{where}: {_shown(value)} is not allowed; use {_PLAIN[hint][1]}"


def _union_problems(value: object, members: tuple[Any, ...], where: str) -> Iterable[str]:
    later = any(get_origin(member) is pulumi.Output for member in members)
    if later and isinstance(value, pulumi.Output | Awaitable):
        return
    if value is None and type(None) in members:
        return
    plain = [m for m in members if get_origin(m) not in (pulumi.Output, Awaitable) and m is not type(None)]
    problems = [list(_type_problems(value, member, where)) for member in plain]
    if problems and all(problems):
        # Such a value may be a secret: its type says enough.
        word = _kind(value)
        yield from (
            [f"{where}: {word} is not allowed; use {_PLAIN[plain[0]][1]} or an Output"]
            if later and _atom(plain)
            else problems[0]
        )


def _atom(members: list[Any]) -> bool:
    return all(member in _PLAIN for member in members)


def _value_problems(value: object, shape: str, key: str, where: str) -> Iterable[str]:
    text = _TEXTS.get(f"{shape}.{key}", _TEXTS.get(key))
    limits = _RANGES.get(f"{shape}.{key}", _RANGES.get(key))
    if text is not None and isinstance(value, str):
        yield from _text_problems(value, text, f"{where}: {value!r}")
    elif text is not None and isinstance(value, list | tuple):
        for index, item in enumerate(cast(list[object], value)):
            if isinstance(item, str):
                yield from _text_problems(item, text, f"{where}[{index}]: {item!r}")
    elif limits is not None and isinstance(value, int | float):
        least, most = limits
        if value < least or (most is not None and value > most):
            bounds = f"{least} or more" if most is None else f"{least} to {most}"
            yield f"{where}: {value!r} is not allowed; use {bounds}"


def _text_problems(value: str, allowed: Format, where: str) -> Iterable[str]:
    if not allowed.matches(value):
        yield f"{where} is not allowed; use {allowed.words}"


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value) if _is_written(value) else _kind(value)


def _is_written(value: object) -> bool:
    """Whether `value` could stand in a file: plain values, lists and mappings of such."""
    if isinstance(value, Mapping):
        pairs = cast(Mapping[object, object], value)
        return all(_is_written(one) for pair in pairs.items() for one in pair)
    if isinstance(value, list):
        return all(_is_written(one) for one in cast(list[object], value))
    return isinstance(value, str | int | float)


def _kind(value: object) -> str:
    """What `value` is, in words."""
    if _is_output(value):
        return "an Output"
    return next((word for kinds, word in _KINDS if isinstance(value, kinds)), "an object")


def _is_output(value: object) -> bool:
    return isinstance(value, pulumi.Output)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_whole(value: object) -> bool:
    # A packaged component receives every number as a float.
    return not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "nothing"),
    (bool, "true or false"),
    (str, "text"),
    ((int, float), "a number"),
    ((list, tuple, set, frozenset), "a list"),
    (Mapping, "a mapping"),
)
"""Types by the words of a message."""
_PLAIN = {
    str: (_is_text, "text"),
    bool: (_is_flag, "true or false"),
    int: (_is_whole, "a whole number"),
    float: (_is_number, "a number"),
}
