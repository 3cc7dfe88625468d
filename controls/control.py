"""What a control is: an ID, how grave it is, where it comes from, how to mend it, and a rule with cases.

A rule comes in three shapes. `ObjectRule` is CEL text about a Kubernetes object: CrossGuard evaluates it, and
admission renders the same text as native and as Kyverno policies. `ResourceRule` is a Python predicate about
one cloud resource. `StackRule` is one about a resource among all others of the stack.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, cast

from corral.controls.levels import Severity
from corral.controls.profiles import Profile


@unique
class Verdict(StrEnum):
    """What a case expects of its control."""

    GOOD = "good"
    BAD = "bad"
    UNDECIDED = "undecided"


class Undecided(Exception):
    """The rule met a value that is not known before the update; the text says which."""


class Unknown:
    """Stands for a value that is not known before the update."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Resource:
    """One resource of a stack as a rule sees it: its inputs, unknown leaves as `UNKNOWN`."""

    type: str
    """Pulumi type token, such as `aws:s3/bucket:Bucket`."""
    name: str
    props: Mapping[str, Any]
    urn: str = ""
    provider: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Inputs of the resource's provider; empty where there is none."""
    provider_name: str = ""
    """Name of the resource's provider; empty where there is none."""
    ignore_changes: Sequence[str] = ()
    refers: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Property -> URNs of the resources that its value comes from; known even where the value is not."""
    protect: bool = False
    """Whether the engine refuses to delete it."""
    computed: dict[str, Any] = field(default_factory=dict[str, Any], init=False, repr=False, compare=False)
    """What several rules read of it, computed by the first of them."""

    def value(self, path: str, default: Any = None) -> Any:
        """The value at dotted `path`, or `default` where a part is absent.

        Raises:
            Undecided: a part of the path is unknown.
        """
        value: Any = self.props
        for part in path.split("."):
            if isinstance(value, Mapping):
                value = cast(Mapping[str, Any], value).get(part)
            elif isinstance(value, list) and part.isdigit():
                items = cast(list[Any], value)
                value = items[int(part)] if int(part) < len(items) else None
            else:
                return default
            if value is UNKNOWN:
                raise Undecided(f"`{path}` is not known yet")
        return default if value is None else value

    def values(self, path: str) -> list[Any]:
        """Every value at dotted `path`, through lists on the way; absent as None, unknown as `UNKNOWN`."""
        level: list[Any] = [self.props]
        for part in path.split("."):
            level = [inner for one in level for inner in _step(one, part)]
        return [
            inner for one in level for inner in (cast(list[Any], one) if isinstance(one, list) else [one])
        ]


def _step(value: Any, part: str) -> list[Any]:
    if value is UNKNOWN:
        return [UNKNOWN]
    if isinstance(value, list):
        return [inner for one in cast(list[Any], value) for inner in _step(one, part)]
    if isinstance(value, Mapping):
        return [cast(Mapping[str, Any], value).get(part)]
    return [None]


@dataclass(frozen=True)
class Case:
    """An input with the verdict it must get."""

    title: str
    verdict: Verdict
    subject: Any
    """A Kubernetes object (ObjectRule) or a `Resource`."""
    others: Sequence[Resource] = ()
    """StackRule: the rest of the stack."""
    profile: str = "eu-resident"
    stores: tuple[str, ...] | None = None
    """Addresses of the platform's own stores, where they are known."""


@dataclass(frozen=True)
class ObjectRule:
    """CEL about a Kubernetes object, true where the object is as it should be.

    `expression` may use `object`, `variables.containers`, `variables.images`,
    `variables.uris` and `variables.words` (see `corral.controls.cel`), and each key of `parameters` as
    `variables.<key>`.
    """

    expression: str
    message: str
    kinds: Sequence[str]
    """Which kinds the rule evaluates, as in `corral.controls.kinds.KINDS`."""
    parameters: Callable[[Profile], Mapping[str, str]] = lambda profile: {}
    """Profile -> CEL text by name."""
    demanded: Sequence[str] = ()
    """Paths at which something must be, so that nothing is decided while a value there is unknown."""
    reads: Sequence[str] = ()
    """Paths outside `spec` that can make a violation: while a value there is unknown nothing passes."""
    instead: str = ""
    """What holds at admission in its place; empty: admission evaluates the rule, too."""
    classified: bool = False
    """Whether it holds at admission alone, in namespaces whose label says that their data is of a class above
    public: a program's objects do not say which class their namespace is of."""
    whole: bool = False
    """Whether it demands fields of a pod, so that parts of one, which operators have apart, are left out."""
    of_clouds: bool = False
    """Whether it evaluates containers that a cloud runs by itself, too (`corral.controls.tasks`)."""

    @property
    def admitted(self) -> bool:
        """Whether admission evaluates it, too."""
        return not self.instead


@dataclass(frozen=True)
class ResourceRule:
    """A predicate about one resource: yields a message per violation."""

    applies: Callable[[str], bool]
    """Given the type token: whether the rule evaluates such resources."""
    check: Callable[[Resource, Profile], Iterator[str]]


@dataclass(frozen=True)
class StackRule:
    """A predicate about one resource among all: yields a message per violation."""

    applies: Callable[[str], bool]
    check: Callable[[Resource, Sequence[Resource], Profile], Iterator[str]]


@dataclass(frozen=True)
class Control:
    """One thing that a sovereign platform must hold to. IDs are stable and never used again."""

    id: str
    title: str
    severity: Severity
    sources: Sequence[str]
    """Requirements it answers, as short references."""
    remedy: str
    rule: ObjectRule | ResourceRule | StackRule
    cases: Sequence[Case]
    not_enforced: Sequence[str] = ()
    """Where it is not enforced although it could concern what is there, each with the reason."""

    @property
    def url(self) -> str:
        """Where the control is explained, relative to the project's root."""
        return f"docs/controls.md#{self.id.lower()}"
