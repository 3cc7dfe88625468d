"""Models that the catalogue lacks: `custom-models` of a stack file, with their folders read into facts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from corral.catalogue.models import ModelSpec
from corral.stacks.config.errors import ConfigErrors, Problem
from corral.stacks.config.huggingface.folder import explain, read_folder
from corral.stacks.config.huggingface.values import CONFIG, Unreadable, inner

SECTION = "custom-models"
WEIGHTS = ("weights-gib", "weights-bytes", "parameters")
"""Any one of them says how much a model weighs."""
NEEDED = tuple(name for name, field in ModelSpec.model_fields.items() if field.is_required())
"""ModelSpec without a default."""


def with_folders(content: object, base: Path) -> object:
    """`content` with the facts of each folder in the place of its name; what stands beside it counts more.

    Raises:
        ConfigErrors: a folder cannot be read, or facts are missing.
    """
    outer = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    section = outer.get(SECTION)
    if not isinstance(section, dict):
        return cast("object", content)
    problems: list[Problem] = []
    entries = {
        name: _with_folder(str(name), entry, base, problems)
        for name, entry in cast("dict[Any, Any]", section).items()
    }
    if problems:
        raise ConfigErrors(problems)
    return {**outer, SECTION: entries}


def _with_folder(name: str, entry: object, base: Path, problems: list[Problem]) -> object:
    if not isinstance(entry, dict):
        return entry
    stated = dict(cast("dict[str, Any]", entry))
    path = f"{SECTION}.{name}"
    if "folder" not in stated:
        missing = _missing(stated)
        if missing:
            problems.append(Problem(path, f"lacks {', '.join(missing)}", "state these facts, or a folder"))
        return stated
    folder = str(stated.pop("folder"))
    try:
        files = read_folder(base / folder, weigh=not any(key in stated for key in WEIGHTS))
        merged = {**files, **stated}
        missing = _missing(merged)
        reason = explain(base / folder, missing)
    except Unreadable as error:
        problems.append(Problem(f"{path}.folder", folder, str(error)))
        return stated
    longest, context = _longest(files), stated.get("context")
    if longest is not None and isinstance(context, int) and context > longest:
        problems.append(
            Problem(f"{path}.context", str(context), f"{CONFIG} in {folder} allows {longest} tokens")
        )
    if missing:
        advice = f"its files lack {', '.join(missing)}: state these facts beside folder{reason}"
        problems.append(Problem(f"{path}.folder", folder, advice))
    return merged


def _longest(files: Mapping[str, Any]) -> int | None:
    """Tokens that positions in the files of a folder allow; None: nothing bounds them."""
    attention = inner(files, "attention")
    endless = attention.get("kind") == "recurrent" and not attention["full-layers"]
    return None if endless else files.get("context")


def _missing(stated: Mapping[str, Any]) -> list[str]:
    """ModelSpec that are needed and not there, in the order in which the catalogue has them."""
    needed = [name.replace("_", "-") for name in NEEDED]
    missing = [name for name in needed if name not in stated]
    return missing if any(key in stated for key in WEIGHTS) else [*missing, "weights-gib"]
