"""Rules about Kubernetes objects evaluated together, at the price of few of them: most objects break none."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corral.controls.cel import Prepared, Staged, evaluate, parameters_of, staged
from corral.controls.control import ObjectRule
from corral.controls.profiles import Profile


@dataclass(frozen=True)
class _Together:
    """Rules as one, each with names of its own for its parameters."""

    constant: Mapping[str, Any]
    varying: Staged
    expression: str


_MADE: dict[tuple[int, ...], tuple[tuple[ObjectRule, ...], Profile, _Together]] = {}
"""By rules and profile, which are kept so that no other takes their place."""


def hold_together(rules: tuple[ObjectRule, ...], subject: Prepared, profile: Profile) -> bool:
    """Whether `subject` is known and each of `rules` holds for it; False, too, where one cannot run."""
    if subject.unknown or any(subject.unknown_at(path) for rule in rules for path in rule.reads):
        return False
    if not rules:
        return True
    key = (*map(id, rules), id(profile))
    if key not in _MADE:
        _MADE[key] = (rules, profile, _together(rules, profile))
    together = _MADE[key][2]
    try:
        values = together.varying.values(subject.known, {**subject.values, **together.constant})
        return evaluate(together.expression, subject.known, values) is True
    except ValueError:
        return False


def _together(rules: Sequence[ObjectRule], profile: Profile) -> _Together:
    constant: dict[str, Any] = {}
    varying: dict[str, str] = {}
    expressions: list[str] = []
    for number, rule in enumerate(rules):
        own_varying, own_constant = parameters_of(rule, profile)
        names = [*own_varying, *own_constant]
        own = re.compile(rf"\bvariables\.({'|'.join(names)})\b") if names else None
        replacement = rf"variables.of{number}_\1"

        def renamed(text: str, own: Any = own, replacement: str = replacement) -> str:
            return text if own is None else own.sub(replacement, text)

        constant |= {f"of{number}_{name}": value for name, value in own_constant.items()}
        varying |= {f"of{number}_{name}": renamed(text) for name, text in own_varying.items()}
        expressions.append(f"({renamed(rule.expression)})")
    once: dict[str, str] = {}
    for name, text in varying.items():
        varying[name] = f"variables.{once[text]}" if text in once else text
        once.setdefault(text, name)
    return _Together(constant, staged(varying), " && ".join(expressions))
