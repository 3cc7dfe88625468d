"""Programs taken out of container images, where a project publishes nothing else."""

import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from corral.embedded.toolchain.downloads import NO_DOWNLOADS, UNAUTHORIZED, ReleaseAccess, architecture
from corral.embedded.toolchain.errors import SourceUnavailable, ToolchainError
from corral.embedded.toolchain.recipes import Recipe
from corral.embedded.toolchain.workshop import Workshop

UNRESOLVED = "unresolved"
MANIFESTS = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)


@dataclass(frozen=True)
class ImageProgram:
    """A program at a path of an image."""

    registry: str
    """Base URL of the registry."""
    repository: str
    digest: str
    """`sha256:…` of the image or of its index, or `unresolved`."""
    path: str
    program: str


@dataclass(frozen=True)
class Image:
    """Programs out of images named by digest."""

    programs: tuple[ImageProgram, ...]
    seconds: float = 20
    label: str = "container image"
    inputs: tuple[Path, ...] = ()

    def likely(self, workshop: Workshop) -> bool:
        resolved = all(program.digest != UNRESOLVED for program in self.programs)
        return resolved and workshop.releases.probe(self.programs[0].registry)

    def fetch(self, recipe: Recipe, workshop: Workshop, folder: Path) -> None:
        unresolved = [p.repository for p in self.programs if p.digest == UNRESOLVED]
        if unresolved:
            raise SourceUnavailable(f"digest of {', '.join(unresolved)} is unresolved")
        if workshop.releases.reachable is False:
            raise SourceUnavailable(NO_DOWNLOADS)
        (folder / "bin").mkdir()
        for wanted in self.programs:
            Repository(workshop.releases, wanted.registry, wanted.repository).extract(
                wanted.digest, wanted.path, folder / "bin" / wanted.program
            )

    def build(self, recipe: Recipe, workshop: Workshop, folder: Path) -> Mapping[str, Path]:
        return {program: Path("bin", program) for program in recipe.provides}


class Repository:
    """One repository of a registry, read by the registry's HTTP API."""

    def __init__(self, access: ReleaseAccess, registry: str, name: str) -> None:
        self._access = access
        self._base = f"{registry.rstrip('/')}/v2/{name}"
        self._headers: dict[str, str] = {}

    def extract(self, digest: str, path: str, target: Path) -> None:
        """Write the file `path` of the image `digest` for this machine to `target`, executable.

        Raises:
            SourceUnavailable: the registry does not have the image, or not for this machine.
            ToolchainError: a digest does not match, or no layer has the file.
        """
        manifest = self._manifest(digest, target)
        if "manifests" in manifest:
            manifest = self._manifest(_for_this_machine(manifest, self._base), target)
        for layer in reversed(manifest["layers"]):
            blob = target.with_name(f"{target.name}.layer")
            self._fetch(f"blobs/{layer['digest']}", layer["digest"], blob)
            try:
                found = _from_layer(blob, layer["mediaType"], path.strip("/"), target)
            finally:
                blob.unlink()
            if found:
                target.chmod(0o755)
                return
        raise ToolchainError(f"{self._base}@{digest} has no file {path}")

    def _manifest(self, digest: str, target: Path) -> dict[str, Any]:
        held = target.with_name(f"{target.name}.manifest")
        self._headers["Accept"] = MANIFESTS
        self._fetch(f"manifests/{digest}", digest, held)
        content: dict[str, Any] = httpx.Response(200, content=held.read_bytes()).json()
        held.unlink()
        return content

    def _fetch(self, what: str, digest: str, target: Path) -> None:
        url = f"{self._base}/{what}"
        if "Authorization" not in self._headers:
            with self._access.stream(url, self._headers, unauthorized=True) as response:
                if response.status_code == UNAUTHORIZED:
                    self._headers["Authorization"] = f"Bearer {self._token(response)}"
        algorithm, _, sha256 = digest.partition(":")
        if algorithm != "sha256":
            raise ToolchainError(f"{url}: digests of kind {algorithm} are not supported, only sha256")
        self._access.file(url, sha256, target, self._headers)

    def _token(self, response: httpx.Response) -> str:
        asked = dict(re.findall(r'(\w+)="([^"]*)"', response.headers.get("WWW-Authenticate", "")))
        if "realm" not in asked:
            raise SourceUnavailable(f"{self._base}: the registry wants a login")
        query = {key: asked[key] for key in ("service", "scope") if key in asked}
        text = self._access.text(f"{asked['realm']}?{urlencode(query)}")
        answer: dict[str, str] = httpx.Response(200, text=text).json()
        return answer.get("token") or answer["access_token"]


def _for_this_machine(index: Mapping[str, Any], where: str) -> str:
    for entry in index["manifests"]:
        platform = entry.get("platform", {})
        if (platform.get("os"), platform.get("architecture")) == ("linux", architecture()):
            return str(entry["digest"])
    raise SourceUnavailable(f"{where}: no image for linux/{architecture()}")


def _from_layer(blob: Path, media_type: str, path: str, target: Path) -> bool:
    """Whether the layer has the regular file `path`, then written to `target`."""
    if media_type.endswith("zstd"):
        raise SourceUnavailable("layers compressed by zstd are not supported")
    with tarfile.open(blob) as layer:
        for member in layer:
            if member.isfile() and member.name.removeprefix("./").strip("/") == path:
                stream = layer.extractfile(member)
                assert stream
                with stream, target.open("wb") as out:
                    while piece := stream.read(1 << 20):
                        out.write(piece)
                return True
            whiteout = str(Path(path).with_name(f".wh.{Path(path).name}"))
            if member.name.removeprefix("./") == whiteout:
                raise ToolchainError(f"{path} was removed from the image by its last layers")
    return False
