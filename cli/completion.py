"""`corral completion`: scripts that complete commands, options and values, made from the parser itself."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from corral.catalogue.gpus import gpus
from corral.catalogue.models import models
from corral.catalogue.prices import priced_regions
from corral.catalogue.vocabulary import Dtype
from corral.cli.main import COMMANDS, build_parser

STACKS = (
    "for file in Pulumi.*.yaml; do test -e $file && echo $file; done | sed 's/^Pulumi\\.//; s/\\.yaml$//'"
)
"""Names of the stack files where one is."""
FILES = frozenset({"--charts", "--html", "--key", "--out", "--state", "--to", "--verify"})
"""Options that take the name of a file or folder."""


@dataclass(frozen=True)
class Option:
    """One option of a command."""

    names: tuple[str, ...]
    help: str
    values: tuple[str, ...] | None
    """Words it takes; empty: any; None: it takes none."""


@dataclass(frozen=True)
class Command:
    """One command with what may follow it."""

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...]
    """What it takes beside options; empty: anything."""


def completion(arguments: argparse.Namespace) -> int:
    print(SHELLS[arguments.shell](_commands()), end="")
    return 0


def _commands() -> Sequence[Command]:
    parsers = _subparsers(build_parser())
    known = {
        "--gpu": tuple(gpus()),
        "--dtype": tuple(one.value for one in Dtype),
        "--region": priced_regions(),
    }
    words = {"fit": tuple(models()), "models": tuple(models())}
    return [
        Command(
            name,
            help_text,
            tuple(_options(parsers[name], known)),
            words.get(name, tuple(_choices(parsers[name]))),
        )
        for name, (_place, help_text) in COMMANDS.items()
    ]


def _subparsers(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    action = next(one for one in _actions(parser) if isinstance(one.choices, dict))
    parsers: dict[str, argparse.ArgumentParser] = dict(action.choices or {})  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return parsers


def _actions(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    return parser._actions  # pyright: ignore[reportPrivateUsage]


def _options(parser: argparse.ArgumentParser, known: Mapping[str, tuple[str, ...]]) -> Iterator[Option]:
    for action in _actions(parser):
        if action.option_strings:
            names = tuple(action.option_strings)
            stated = tuple(str(one) for one in action.choices or ())
            values = next((known[name] for name in names if name in known), stated)
            text = (action.help or "").replace("%(default)s", str(action.default))
            yield Option(names, text, None if action.nargs == 0 else values)


def _choices(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in _actions(parser):
        if not action.option_strings:
            yield from (str(one) for one in action.choices or ())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _values(commands: Sequence[Command]) -> Mapping[str, Sequence[str]]:
    """Values by option, of those that take words."""
    return {
        name: one.values
        for command in commands
        for one in command.options
        if one.values
        for name in one.names
    }


def _words(command: Command) -> str:
    return " ".join([*(name for one in command.options for name in one.names), *command.words])


def bash(commands: Sequence[Command]) -> str:
    """The script for bash."""
    values = "\n".join(
        f'    {name}) COMPREPLY=($(compgen -W {_quoted(" ".join(words))} -- "$cur")); return ;;'
        for name, words in _values(commands).items()
    )
    files = "|".join(sorted(FILES))
    cases = "\n".join(f"    {one.name}) words={_quoted(_words(one))} ;;" for one in commands)
    names = " ".join(one.name for one in commands)
    return f"""# corral completion bash: source it, or put it into /etc/bash_completion.d/corral
_corral() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command= words= index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${{COMP_WORDS[index]}} in
      -s|--stack) ((index++)) ;;
      -*) ;;
      *) command=${{COMP_WORDS[index]}}; break ;;
    esac
  done
  case $prev in
    -s|--stack) COMPREPLY=($(compgen -W "$({STACKS})" -- "$cur")); return ;;
    {files}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
{values}
  esac
  case $command in
    '') words={_quoted(f"{names} -s --stack --version --help")} ;;
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _corral corral
"""


def zsh(commands: Sequence[Command]) -> str:
    """The script for zsh."""
    described = "\n".join(f"    {_quoted(f'{one.name}:{one.help}')}" for one in commands)
    values = "\n".join(
        f"    {name}) compadd -- {' '.join(words)}; return ;;" for name, words in _values(commands).items()
    )
    files = "|".join(sorted(FILES))
    cases = "\n".join(f"    {one.name}) compadd -- {_words(one)}; _files ;;" for one in commands)
    return f"""#compdef corral
# corral completion zsh > "${{fpath[1]}}/_corral"
_corral() {{
  local -a commands
  local command= word= skip=
  commands=(
{described}
  )
  for word in ${{words[2,CURRENT-1]}}; do
    if [[ -n $skip ]]; then skip=; continue; fi
    case $word in
      -s|--stack) skip=1 ;;
      -*) ;;
      *) command=$word; break ;;
    esac
  done
  case ${{words[CURRENT-1]}} in
    -s|--stack) compadd -- $(sh -c {_quoted(STACKS)}); return ;;
    {files}) _files; return ;;
{values}
  esac
  case $command in
    '') _describe -t commands command commands; compadd -- -s --stack --version --help ;;
{cases}
  esac
}}
if [[ $funcstack[1] == _corral ]]; then _corral "$@"; else compdef _corral corral; fi
"""


def fish(commands: Sequence[Command]) -> str:
    """The script for fish."""
    lines = [
        "# corral completion fish > ~/.config/fish/completions/corral.fish",
        "complete -c corral -n __fish_use_subcommand -f",
        f"complete -c corral -s s -l stack -x -a {_fish(f'(sh -c {_fish_inner(STACKS)})')} -d 'the stack'",
    ]
    for command in commands:
        lines.append(
            f"complete -c corral -n __fish_use_subcommand -a {command.name} -d {_fish(command.help)}"
        )
    for command in commands:
        condition = f"complete -c corral -n '__fish_seen_subcommand_from {command.name}'"
        if command.words:
            lines.append(f"{condition} -a {_fish(' '.join(command.words))}")
        lines += [f"{condition} {_fish_option(one)}" for one in command.options if "--stack" not in one.names]
    return "\n".join(lines) + "\n"


def _fish_option(one: Option) -> str:
    flags = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in one.names]
    if one.values:
        flags.append(f"-x -a {_fish(' '.join(one.values))}")
    elif one.values is not None:
        flags.append("-r")
    return " ".join([*flags, f"-d {_fish(one.help)}"])


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish_inner(text: str) -> str:
    """`text` for `sh -c` inside a command substitution of fish."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


SHELLS: Mapping[str, Callable[[Sequence[Command]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
