"""What is wrong with a stack: one line per problem, with its place, its value and what is allowed."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

LONGEST = 60
"""Characters of a value in a message."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    path: str
    """Place in the stack file, such as `gpu-pools[0].gpu`."""
    value: str
    """What stands there, as the user wrote it; never a secret."""
    allowed: str
    """What is allowed instead."""

    def __str__(self) -> str:
        return one_line(f"{self.path}: {self.value}: {self.allowed}")


@dataclass(frozen=True)
class Unpinned(Problem):
    """Digests are missing where the profile needs them: the file is right, `corral lock` is due."""


class StackErrors(Exception):
    """A stack that cannot be used; the text has one line per problem."""

    def __init__(self, problems: Sequence[Problem]):
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ConfigErrors(StackErrors):
    """The stack file says something that cannot be said."""


class PlanErrors(StackErrors):
    """The stack file is well formed, and what it asks for cannot be had."""


def one_of(value: str, allowed: Iterable[str]) -> str:
    """`use one of …`, with the nearest word first when one is near."""
    words = list(allowed)
    near = difflib.get_close_matches(value, words, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}use one of {', '.join(words)}"


def one_line(text: str) -> str:
    """`text` with a name in place of each character that ends a line or that a terminal acts on."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def shown(value: object) -> str:
    """`value` as a stack file has it, shortened."""
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    text = {"null": "nothing", "": "empty text"}.get(text, text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _plain(value: object) -> object:
    """`value` in the types of JSON; YAML has more."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {shown(key): _plain(one) for key, one in cast("Mapping[Any, object]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in cast("Iterable[object]", value)]
    return "binary" if isinstance(value, bytes) else str(value)
