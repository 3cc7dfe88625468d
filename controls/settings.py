"""Settings that resources of a type must have, as tables that several controls share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corral.controls.control import UNKNOWN, Resource, ResourceRule, Undecided
from corral.controls.profiles import Profile


def true(value: Any) -> bool:
    """Whether a value is true, in the spellings that providers take."""
    return value is True or str(value).lower() in ("true", "enabled")


def false(value: Any) -> bool:
    """Whether a value is false, in the spellings that providers take."""
    return value is False or str(value).lower() in ("false", "disabled")


def filled(value: Any) -> bool:
    """Whether a value is there and not empty."""
    return value not in (None, "", {})


@dataclass(frozen=True)
class Setting:
    """One setting, in all the places where a resource can have it."""

    paths: tuple[str, ...]
    """Dotted, through lists on the way; alternatives of one another."""
    holds: Callable[[Any], bool]
    says: str
    """What is wrong otherwise."""
    absent: bool = False
    """Whether the setting may be absent."""


NODE_CLASS = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
"""Type of what Karpenter makes machines of, in the cluster."""
Table = Mapping[str, Sequence[Setting]]
"""Settings by type of resource."""


def missing(settings: Sequence[Setting], resource: Resource) -> Iterator[str]:
    """What is wrong with each setting.

    Raises:
        Undecided: a setting is not known yet; after all that are.
    """
    undecided = ""
    for setting in settings:
        by_path = [resource.values(path) for path in setting.paths]
        values = [value for several in by_path for value in several]
        known = [value for value in values if value is not UNKNOWN and value is not None]
        partly = any(None in several and len(several) > 1 for several in by_path)
        if not all(setting.holds(value) for value in known) or (known and partly and not setting.absent):
            yield setting.says
        elif UNKNOWN in values:
            undecided = f"`{setting.paths[0]}` is not known yet"
        elif not known and not setting.absent:
            yield setting.says
    if undecided:
        raise Undecided(undecided)


def required(table: Table) -> ResourceRule:
    """The rule that resources of the types in `table` have its settings."""

    def check(subject: Resource, _profile: Profile) -> Iterator[str]:
        yield from missing(table[subject.type], subject)

    return ResourceRule(lambda token: token in table, check)


def needed(path: str, holds: Callable[[Any], bool], demand: str, *others: str) -> Setting:
    """A setting that must be there at `path` or one of `others`."""
    return Setting((path, *others), holds, f"`{path}` {demand}")


def limited(path: str, holds: Callable[[Any], bool], demand: str) -> Setting:
    """A setting that may be absent, as its default is fine."""
    return Setting((path,), holds, f"`{path}` {demand}", absent=True)


def customers(value: Any) -> bool:
    """Whether a value names a key that is not the provider's own."""
    return filled(value) and "alias/aws/" not in str(value)
