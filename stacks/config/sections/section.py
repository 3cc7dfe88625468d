"""A mapping of the stack file."""

from pydantic import BaseModel, ConfigDict

from corral.stacks.config.values import kebab


class Section(BaseModel):
    """A mapping of the stack file: frozen, kebab-case, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=kebab)
