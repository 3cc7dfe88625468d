"""Where the Pulumi program is: the checkout."""

from pathlib import Path
from typing import cast

import yaml

NAME = "corral"
OWN = Path(__file__).resolve().parents[2]
"""This checkout, or the package where it is installed."""


class NoProject(Exception):
    """There is no checkout of Corral at or above the working directory."""


def find(start: Path | None = None) -> Path:
    """The folder of Corral's Pulumi.yaml: at or above `start` (the working directory), else this checkout.

    Raises:
        NoProject: neither has one, or a Pulumi.yaml on the way cannot be read.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, OWN):
        file = folder / "Pulumi.yaml"
        if file.is_file() and _name(file) == NAME:
            return folder
    raise NoProject(f"no Pulumi.yaml of {NAME} in {here} or above: change into the checkout")


def _name(file: Path) -> object:
    try:
        content = yaml.safe_load(file.read_bytes())
    except OSError as error:
        raise NoProject(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NoProject(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    return cast(dict[str, object], content).get("name") if isinstance(content, dict) else None


def stack_file(project: Path, stack: str) -> Path:
    return project / f"Pulumi.{stack}.yaml"


def policy_pack(project: Path) -> Path:
    """The CrossGuard pack of `project`; that of this package where it has none."""
    folder = project / "policy"
    return folder if (folder / "PulumiPolicy.yaml").is_file() else OWN / "policy"
