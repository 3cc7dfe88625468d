"""The flags of an image that a row honours: parsed, translated, and everything else refused by name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from corral.embedded.node.program_spec import Context, Refused, Treatment
from corral.embedded.node.programs.documented import Documented


@dataclass(frozen=True)
class Flag:
    """One honoured flag."""

    names: tuple[str, ...]
    """Its names without dashes; the first one is written out."""
    treatment: Treatment
    boolean: bool = False
    """It takes no separate value: alone it means `true`."""
    absent: str | None = None
    """The documented default that needs the treatment too when the pod does not give the flag."""


@dataclass(frozen=True)
class Flags:
    """The flags of one image that a row honours, of those that the image documents."""

    documented: Documented
    honoured: tuple[Flag, ...]
    equals: bool = True
    """Whether the program takes `--name=value`."""

    def translate(self, context: Context, arguments: Sequence[str]) -> list[str]:
        """The arguments with which the program runs here.

        Raises:
            Refused: an argument is no flag, is not honoured, or has a value that cannot be had here.
        """
        translated, rest = self.leading(context, arguments)
        if rest:
            image = self.documented.image
            raise Refused(f"argument {rest[0]!r} of image {image} is not honoured here, only flags are")
        return translated

    def leading(self, context: Context, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
        """Translate the flags before the first argument that is none; that one and the rest as they are."""
        translated: list[str] = []
        seen: set[Flag] = set()
        rest = list(arguments)
        while rest and rest[0].startswith("-") and rest[0] != "-":
            flag, value, rest = self._first(rest)
            seen.add(flag)
            translated += flag.treatment(context, value)
        for flag in self.honoured:
            if flag.absent is not None and flag not in seen:
                translated += flag.treatment(context, flag.absent)
        return translated, rest

    def _first(self, arguments: list[str]) -> tuple[Flag, str, list[str]]:
        written = arguments[0].lstrip("-")
        name, equals, value = written.partition("=") if self.equals else (written, "", "")
        flag = next((flag for flag in self.honoured if name in flag.names), None)
        if flag is None:
            raise Refused(self._not_honoured(name))
        if equals:
            return flag, value, arguments[1:]
        if flag.boolean:
            return flag, "true", arguments[1:]
        if len(arguments) < 2:
            raise Refused(f"flag {dashed(name)} of image {self.documented.image} has no value")
        return flag, arguments[1], arguments[2:]

    def _not_honoured(self, name: str) -> str:
        image = self.documented.image
        known = "" if name in self.documented.flags else f" (nor documented: {self.documented.source})"
        honoured = ", ".join(sorted(dashed(flag.names[0]) for flag in self.honoured))
        return f"flag {dashed(name)} of image {image} is not honoured here{known}; honoured: {honoured}"


def dashed(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name}"


def written(name: str, value: str, boolean: bool = False) -> list[str]:
    """`--name=value`, or a bare `--name` for a boolean that is true."""
    return [dashed(name)] if boolean and value == "true" else [f"{dashed(name)}={value}"]


def keep(*names: str, absent: str | None = None) -> Flag:
    """The value as the pod gives it."""
    return Flag(names, lambda _context, value: written(names[0], value), absent=absent)


def switch(*names: str, absent: str | None = None) -> Flag:
    """A boolean as the pod gives it."""
    return Flag(names, lambda _context, value: written(names[0], value, boolean=True), True, absent)


def keeps(*names: str) -> Iterator[Flag]:
    return (keep(name) for name in names)


def switches(*names: str) -> Iterator[Flag]:
    return (switch(name) for name in names)


def host(*names: str, absent: str | None = None) -> Flag:
    """An address to listen on, or to be known by: the pod's own."""
    return Flag(names, lambda context, _value: written(names[0], context.bind), absent=absent)


def bind(*names: str, absent: str | None = None) -> Flag:
    """`[address]:port` to listen on: the pod's own address, the port as given; a value without port as is."""

    def treatment(context: Context, value: str) -> list[str]:
        _address, colon, port = value.rpartition(":")
        return written(names[0], f"{context.bind}:{port}" if colon else value)

    return Flag(names, treatment, absent=absent)


def path(*names: str, absent: str | None = None) -> Flag:
    """A file or folder as the container states it."""
    return Flag(names, lambda context, value: written(names[0], context.path(value)), absent=absent)


def only(
    *names: str, values: Iterable[str], why: str, boolean: bool = False, absent: str | None = None
) -> Flag:
    """One of `values`, kept; another is refused with the reason."""
    allowed = tuple(values)

    def treatment(_context: Context, value: str) -> list[str]:
        if value not in allowed:
            raise Refused(f"flag {dashed(names[0])} must be {' or '.join(allowed)} here, not {value}: {why}")
        return [f"{dashed(names[0])}={value}"]

    return Flag(names, treatment, boolean, absent)


def arguments(context: Context, image: str, *entry_points: str) -> list[str]:
    """What the program is given: the container's command after the program, then its arguments.

    Raises:
        Refused: the container's command is another program than the image's entry point.
    """
    if not context.command:
        return list(context.args)
    program, *first = context.command
    if PurePosixPath(program).name not in entry_points:
        known = ", ".join(entry_points)
        raise Refused(f"command {program!r} of image {image} is not honoured here; honoured: {known}")
    return [*first, *context.args]
