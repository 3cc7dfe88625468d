"""What nodes keep so that a replica starts sooner: files of models, and images."""

from dataclasses import dataclass

from corral.catalogue.vocabulary import Engine


@dataclass(frozen=True)
class CachedModel:
    """A model whose files each node of a pool keeps."""

    name: str
    size_gib: int
    """Its files, rounded up."""


@dataclass(frozen=True)
class ModelCachePlan:
    """Models on the disks of a pool's nodes."""

    pool: str
    room_gib: int
    """Most that the models take on one node."""
    models: tuple[CachedModel, ...]

    @property
    def used_gib(self) -> int:
        return sum(one.size_gib for one in self.models)


@dataclass(frozen=True)
class PrePullPlan:
    """Images that each node of a pool holds before a replica comes."""

    pool: str
    engines: tuple[Engine, ...]
    """Engines of the models placed on it; the image of the tools comes with them."""
