"""The lock of a bundle: every image, chart, model, plugin and Python package, with its SHA-256."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from corral.catalogue._read import UNRESOLVED

HEADER = """\
# Written by `corral bundle`: everything that the stack brings to its site. `unresolved` is a value: `corral
# lock` resolves images and charts, `corral lock --models` models.
"""


@dataclass(frozen=True)
class Artifact:
    """One image or chart, or the archive of one program."""

    source: str
    """Where it is published: `host/path:tag`, `oci://host/path:version`, `https://…`."""
    digest: str
    """`sha256:…`, or `unresolved`."""
    target: str | None
    """Its place in the mirror; None: the stack names no mirror, or it goes to none."""
    named_by: tuple[str, ...] = ()
    """What of the stack names it; empty: nothing that could be looked into."""
    brought_by: str | None = None
    """Chart whose operator starts it; None: the program names it, or a person installs it."""
    reason: str = ""
    """Why it has no digest."""
    by_hand: bool = False
    """Whether no registry gives a digest for what is named here: the site copies what it runs, by hand."""

    @property
    def pinned(self) -> bool:
        return self.digest != UNRESOLVED

    @property
    def built_here(self) -> bool:
        """Whether the checkout makes it, so that it is pushed and not copied."""
        return self.source.startswith("localhost/")


@dataclass(frozen=True)
class ModelFiles:
    """One model with its files."""

    name: str
    source: str
    files: tuple[tuple[str, str, int], ...]
    """Name, SHA-256 in hex and size of each; none: not locked."""
    simulated: bool = False


@dataclass(frozen=True)
class PythonPackage:
    """One Python package at its pinned version."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """`sha256:…` of each file that is that version."""


@dataclass(frozen=True)
class Unrendered:
    """A Helm release that could not be looked into."""

    release: str
    reason: str


@dataclass(frozen=True)
class NamedHost:
    """A host outside the site that the stack names."""

    host: str
    place: str
    """Resource or object, and path of the property."""


@dataclass(frozen=True)
class Bundle:
    """All that a stack needs at its site."""

    stack: str
    profile: str
    mirror: str | None
    images: tuple[Artifact, ...]
    charts: tuple[Artifact, ...]
    models: tuple[ModelFiles, ...]
    programs: tuple[Artifact, ...]
    """Pulumi and its plugins, as archives."""
    packages: tuple[PythonPackage, ...]
    unrendered: tuple[Unrendered, ...] = ()
    hosts: tuple[NamedHost, ...] = ()

    def unresolved(self) -> Iterator[tuple[str, str]]:
        """(What has no digest, why)."""
        for kind, several in (("image", self.images), ("chart", self.charts), ("program", self.programs)):
            for one in several:
                if not one.pinned and not one.by_hand:
                    yield f"{kind} {one.source}", one.reason or "not locked: run corral lock"
        for model in self.models:
            if not model.files and not model.simulated:
                yield f"model {model.name}", "not locked: run corral lock --models"
        for package in self.packages:
            if not package.hashes:
                yield f"package {package.name}", "not in requirements.lock"

    def by_hand(self) -> Iterator[tuple[str, str]]:
        """(What a site copies by hand, why)."""
        return ((one.source, one.reason) for one in self.images if one.by_hand)

    def text(self) -> str:
        """The file `lock.yaml`."""
        content: dict[str, Any] = {
            "stack": self.stack,
            "profile": self.profile,
            "mirror": self.mirror,
            "images": _artifacts(self.images),
            "charts": _artifacts(self.charts),
            "models": [_model(one) for one in self.models],
            "programs": _artifacts(self.programs),
            "packages": [
                {"name": one.name, "version": one.version, "sha256": list(one.hashes) or UNRESOLVED}
                for one in self.packages
            ],
            "unresolved": dict(self.unresolved()),
            "by-hand": dict(self.by_hand()),
            "not-rendered": {one.release: one.reason for one in self.unrendered},
            "public-hosts": _by_host(self.hosts),
        }
        return HEADER + yaml.safe_dump(content, sort_keys=False, width=110)


def _artifacts(several: Iterable[Artifact]) -> list[dict[str, Any]]:
    return [
        {
            "source": one.source,
            "digest": one.digest,
            **({"target": one.target} if one.target else {}),
            **({"brought-by": one.brought_by} if one.brought_by else {}),
            **({"named-by": list(one.named_by)} if one.named_by else {}),
        }
        for one in several
    ]


def _model(model: ModelFiles) -> dict[str, Any]:
    files = [{"name": name, "sha256": digest, "size": size} for name, digest, size in model.files]
    unknown = "simulated" if model.simulated else UNRESOLVED
    return {"name": model.name, "source": model.source, "files": files or unknown}


def _by_host(hosts: Iterable[NamedHost]) -> Mapping[str, list[str]]:
    places: dict[str, list[str]] = {}
    for one in hosts:
        places.setdefault(one.host, []).append(one.place)
    return places
