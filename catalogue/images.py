"""Container images: those the program names itself and those that charts bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.addons import ImageRow, descriptors
from corral.catalogue.digests import digest

OURS = "corral"
"""`brought_by` of the images that the program names itself."""


def mirrored(repository: str, registry: str | None) -> str:
    """`repository` as pulled: `registry` takes the place of its host; None leaves it.

    >>> mirrored("ghcr.io/ggml-org/llama.cpp", "registry.example.eu/mirror")
    'registry.example.eu/mirror/ggml-org/llama.cpp'
    """
    return repository if registry is None else f"{registry.rstrip('/')}/{repository.partition('/')[2]}"


def repository_of(reference: str) -> str:
    """Registry host and path of an image, without its tag and digest.

    >>> repository_of("registry.example.eu:5000/corral/tools:0.1.0@sha256:ab")
    'registry.example.eu:5000/corral/tools'
    """
    host, slash, path = reference.partition("@")[0].rpartition("/")
    return f"{host}{slash}{path.partition(':')[0]}"


@dataclass(frozen=True)
class ImageEntry:
    """One image of the catalogue."""

    name: str
    repository: str
    """Registry host and path, always written out."""
    tag: str
    digest: str = UNRESOLVED
    """`sha256:…`, or `unresolved`."""
    brought_by: str = OURS
    """`corral`, or the name of the chart that brings it."""
    unresolvable: str | None = None
    """Why no registry can give a digest for this tag."""

    @property
    def pinned(self) -> str:
        """`repository:tag`, as digests are kept."""
        return f"{self.repository}:{self.tag}"

    def reference(self, registry: str | None = None) -> str:
        """What a pod names: `repository:tag`, with `@sha256:…` once resolved; `registry` mirrors the host."""
        suffix = "" if self.digest == UNRESOLVED else f"@{self.digest}"
        return f"{mirrored(self.repository, registry)}:{self.tag}{suffix}"


def _entry(name: str, row: ImageRow) -> ImageEntry:
    resolved = digest(f"{row.repository}:{row.tag}")
    return ImageEntry(name, row.repository, row.tag, resolved, row.brought_by or OURS, row.unresolvable)


@cache
def images() -> Mapping[str, ImageEntry]:
    """All images by name."""
    return {name: _entry(name, row) for addon in descriptors().values() for name, row in addon.images.items()}


def image(name: str) -> ImageEntry:
    """The image `name`.

    Raises:
        KeyError: no such image; the message lists those there are.
    """
    entry = images().get(name)
    if entry is None:
        raise KeyError(f"no image {name!r} in the catalogue; there are {', '.join(images())}")
    return entry


def images_of(chart: str) -> tuple[ImageEntry, ...]:
    """The images that `chart` brings, `corral` for those we name ourselves."""
    return tuple(entry for entry in images().values() if entry.brought_by == chart)
