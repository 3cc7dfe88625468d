"""What `corral lock --models` keeps of a stack's models: revision and files, beside the stack file."""

from collections.abc import Iterable, Mapping
from datetime import date as Date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError, field_validator

from corral.catalogue.models import ModelSpec
from corral.catalogue.quantities import gib
from corral.stacks.config.adapter_config import LockedLora
from corral.stacks.config.errors import ConfigErrors, Problem
from corral.stacks.config.loader import stack_of
from corral.stacks.config.stack_config import Section

HEADER = "# Written by `corral lock --models`: what each model's source held, file by file.\n"
MOST_TIMES = 2
"""A model weighs at most so many times its files; what is computed from parameters is an upper bound."""


class LockedFile(Section):
    """A file that an import must find."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^/]")]
    """Path inside the model's folder."""
    size: Annotated[int, Field(strict=True, ge=0)]
    """Bytes."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """In hex."""
    version: str | None = None
    """What the source changes with the content, such as an ETag: while it is the same, a source that keeps no
    SHA-256 is not read again to be locked. An import compares the SHA-256 alone."""

    @field_validator("name")
    @classmethod
    def _inside(cls, name: str) -> str:
        if ".." in name.split("/"):
            raise ValueError("a path inside the model's folder is needed")
        return name


class LockedModel(Section):
    """The files of one model of a stack, or of one adapter."""

    source: str
    """URI that was read; a model with another source is not locked."""
    revision: str | None = None
    """Commit, version or digest that pins the content; absent where the source keeps none."""
    date: Date
    """When it was read."""
    files: Annotated[tuple[LockedFile, ...], Field(min_length=1)]
    lora: LockedLora | None = None
    """What its configuration says of an adapter; absent for a model."""


class _File(Section):
    models: dict[str, LockedModel] = {}


def lock_path(stack_file: Path) -> Path:
    """Where the lock of a stack is: `models.onprem.lock.yaml` beside `Pulumi.onprem.yaml`."""
    return stack_file.with_name(f"models.{stack_of(stack_file)}.lock.yaml")


def read_lock(stack_file: Path) -> Mapping[str, LockedModel]:
    """Locked models of a stack by name; none where there is no lock.

    Raises:
        ConfigErrors: the lock cannot be read, or something in it is wrong.
    """
    path = lock_path(stack_file)
    again = "run corral lock --models again"
    try:
        return _File.model_validate(_content(path.read_text(encoding="utf-8")) or {}).models
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigErrors([Problem(path.name, "cannot be read", str(error.strerror))]) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigErrors([Problem(path.name, "is no YAML", again)]) from None
    except ValidationError as error:
        wrong = [".".join(str(one) for one in each["loc"]) for each in error.errors()]
        problems = [Problem(path.name, where or "file", f"not as written: {again}") for where in wrong]
        raise ConfigErrors(problems) from None


def _content(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except (ValueError, LookupError, AttributeError, RecursionError) as error:  # A tag that does not hold.
        raise yaml.YAMLError(str(error)) from None


def too_light(files: Iterable[LockedFile], spec: ModelSpec) -> str | None:
    """Why `files` cannot be the model of `spec`; None: they weigh as much as it does, roughly."""
    total = sum(file.size for file in files)
    if total * MOST_TIMES >= spec.weights:
        return None
    return (
        f"its files are {total} bytes together, and this model weighs {gib(spec.weights)}: name the folder "
        "with all of its files, or describe what lies there in custom-models"
    )


def lock_text(models: Mapping[str, LockedModel]) -> str:
    """The content of a lock."""
    content = {
        name: one.model_dump(mode="json", by_alias=True, exclude_none=True)
        for name, one in sorted(models.items())
    }
    return HEADER + yaml.safe_dump({"models": content}, sort_keys=False, width=110)
