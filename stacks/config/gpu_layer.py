"""A GPU layer that NVIDIA AICR installed: `gpu-layer` of a stack file, with its recipe read into `addons`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from corral.catalogue.addons import descriptors
from corral.catalogue.vocabulary import Addon, AddonState
from corral.stacks.config.errors import ConfigErrors, Problem, shown

SECTION, RECIPE, SKIP = "gpu-layer", "recipe", "skip"
KIND = "RecipeResult"
VERSIONS = ("aicr.run/v1", "aicr.run/v1beta2", "aicr.run/v1alpha3", "aicr.run/v1alpha2")
"""`apiVersion` of recipes that `aicr recipe` writes; a version grows by optional fields alone
(NVIDIA/aicr, docs/design/011-artifact-apiversion-policy.md, docs/user/cli-reference.md; read on 2026-11-28).
"""
GATES = ("enabled", "install")
"""`overrides` by which a recipe keeps a component and does not install it (pkg/recipe/metadata.go there)."""
CORE = Addon.GPU_OPERATOR
"""Without it there is no GPU layer."""
HANDS_OUT = Addon.DRA_DRIVER
"""Left out where the recipe has none: the device plugin of its operator hands GPUs out then."""
Fields = Mapping[str, Any]


def with_recipe(content: object, base: Path) -> object:
    """`content` with the addons that its recipe installs as `existing`, unless it states them otherwise.

    base: folder that the recipe's path is relative to.

    Raises:
        ConfigErrors: the recipe cannot be read, is none, or contradicts `addons`.
    """
    outer = _fields(content)
    section, stated = _fields(outer.get(SECTION)), _fields(outer.get("addons"))
    if not isinstance(section.get(RECIPE), str) or not isinstance(section.get(SKIP, []), list):
        return content  # What is wrong with it, the types of the section say.
    installed = set(_installed(base / section[RECIPE], section[RECIPE]))
    skipped = [str(one) for one in section.get(SKIP, [])]
    problems = [*_not_there(skipped, installed), *_lacking(installed, skipped, section[RECIPE])]
    found = dict(_states(installed - set(skipped), outer))
    problems += _contradictions(found, stated, section[RECIPE])
    if problems:
        raise ConfigErrors(problems)
    return {**outer, "addons": {**found, **stated}}


def _fields(value: object) -> Fields:
    return cast("Fields", value) if isinstance(value, Mapping) else {}


def _installed(path: Path, name: str) -> Iterator[str]:
    """Names of the components that the recipe at `path` installs."""
    where = f"{SECTION}.{RECIPE}"
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ConfigErrors(
            [Problem(where, name, f"{reason}: give the file that `aicr recipe` wrote")]
        ) from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError):
        raise ConfigErrors(
            [Problem(where, name, "no YAML: give the file that `aicr recipe` wrote")]
        ) from None
    header = _fields(recipe)
    kind, version = header.get("kind"), header.get("apiVersion")
    if kind != KIND:
        use = f"its kind is {shown(kind)}: use the {KIND} that `aicr recipe` writes"
        raise ConfigErrors([Problem(where, name, use)])
    if version not in VERSIONS:
        use = f"its apiVersion is {shown(version)}: write it anew by an AICR of {' or '.join(VERSIONS)}"
        raise ConfigErrors([Problem(where, name, use)])
    listed = header.get("componentRefs")
    if not isinstance(listed, list):
        raise ConfigErrors([Problem(where, name, "it has no componentRefs: write it anew by `aicr recipe`")])
    for one in cast("Sequence[object]", listed):
        component = _fields(one)
        gates = _fields(component.get("overrides"))
        if not any(gates.get(gate) is False for gate in GATES):
            yield str(component.get("name"))


def _not_there(skipped: Sequence[str], installed: set[str]) -> Iterator[Problem]:
    for index, name in enumerate(skipped):
        if name not in installed:
            known = ", ".join(sorted(installed)) or "nothing"
            yield Problem(
                f"{SECTION}.{SKIP}[{index}]", name, f"the recipe does not install it; it has {known}"
            )


def _lacking(installed: set[str], skipped: Sequence[str], name: str) -> Iterator[Problem]:
    if not set(descriptors()[CORE].aicr) & (installed - set(skipped)):
        yield Problem(
            f"{SECTION}.{RECIPE}", name, f"it installs no {CORE.value}: leave {SECTION} out, and Corral does"
        )


def _states(installed: set[str], content: Fields) -> Iterator[tuple[str, str]]:
    for addon, one in descriptors().items():
        wanted = one.section is None or one.section in content
        if wanted and installed & set(one.aicr):
            yield addon.value, AddonState.EXISTING.value
        elif addon is HANDS_OUT:
            yield addon.value, AddonState.OFF.value


def _contradictions(found: Mapping[str, str], stated: Fields, name: str) -> Iterator[Problem]:
    for addon, state in found.items():
        if state == AddonState.EXISTING and stated.get(addon) == AddonState.MANAGED:
            names = " or ".join(descriptors()[Addon(addon)].aicr)
            yield Problem(
                f"addons.{addon}",
                AddonState.MANAGED.value,
                f"{name} installs it: use existing, or name {names} in {SECTION}.{SKIP}",
            )
