"""What is wrong with a stack: one line per problem, with its place, its value and what is allowed."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
        return f"{self.path}: {self.value}: {self.allowed}"


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
