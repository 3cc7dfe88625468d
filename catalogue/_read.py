"""Reading the catalogue's YAML files into frozen values; a bad entry names its file and path."""

from datetime import date
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from corral.catalogue import yamls

FOLDER = Path(__file__).parent
UNRESOLVED = "unresolved"
"""What stands for a digest or tag that nobody has looked up; never a guess."""


class Entry(BaseModel):
    """An entry of the catalogue: frozen, kebab-case in YAML, without unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=False,
    )


class Source(Entry):
    """Where facts were read, and when."""

    name: str
    date: date
    checked: bool = True
    """False: read in a survey rather than in the thing itself."""


Shape = TypeVar("Shape", bound=BaseModel)


def read(name: str, shape: type[Shape]) -> Shape:
    """The file `name` of this folder as `shape`.

    Raises:
        pydantic.ValidationError: an entry is wrong; the error names the path within the file.
    """
    return read_file(FOLDER / name, shape)


def read_file(path: Path, shape: type[Shape]) -> Shape:
    """The YAML file `path` as `shape`; raises like `read`."""
    return shape.model_validate(yamls.load(path.read_text(encoding="utf-8")))
