"""Where the Pulumi program is: the checkout."""

from pathlib import Path

import yaml

NAME = "corral"


class NoProject(Exception):
    """There is no checkout of Corral at or above the working directory."""


def find(start: Path | None = None) -> Path:
    """The folder of Corral's Pulumi.yaml: at or above `start` (the working directory), else this checkout.

    Raises:
        NoProject: neither has one.
    """
    here = (start or Path.cwd()).resolve()
    own = Path(__file__).resolve().parents[2]
    for folder in (here, *here.parents, own):
        file = folder / "Pulumi.yaml"
        if file.is_file() and yaml.safe_load(file.read_text()).get("name") == NAME:
            return folder
    raise NoProject(f"no Pulumi.yaml of {NAME} in {here} or above: change into the checkout")


def stack_file(project: Path, stack: str) -> Path:
    return project / f"Pulumi.{stack}.yaml"


def policy_pack(project: Path) -> Path | None:
    """The CrossGuard pack of the checkout."""
    folder = project / "policy"
    return folder if (folder / "PulumiPolicy.yaml").is_file() else None
