"""Everything about a pod's files: made before its containers start, kept up to date while they run."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corral.embedded.home import private_directory
from corral.embedded.kube import Api, Object
from corral.embedded.node import mounts as mounting
from corral.embedded.node.identity import Tokens, write_identity
from corral.embedded.node.sources import Sources
from corral.embedded.node.volumes import RENDERED, Owner, claimed, empty, kind_of, of_node, payload, write
from corral.embedded.objects import children


@dataclass(frozen=True)
class NodeSettings:
    """What every pod of one node stands on."""

    api: Api
    sources: Sources
    server: str
    """URL of the API server."""
    authority: bytes
    """Its CA certificate, PEM."""
    real_paths: bool
    """Whether processes get a mount namespace of their own."""
    short: Path
    """Folder with a short path, for Unix sockets where `/tmp` is not private."""
    hidden: tuple[Path, ...]
    """Folders of this machine that no process sees."""
    disks: Path
    """Folder with one for each node, which is that node's disk."""


@dataclass
class PodFiles:
    """The folder of one pod."""

    settings: NodeSettings
    folder: Path
    tokens: Tokens = field(default_factory=Tokens)
    folders: dict[str, Path] = field(default_factory=dict[str, Path])
    """Volume name -> folder or file on this machine."""

    @property
    def identity(self) -> Path:
        return self.folder / "_identity"  # no container can have this name

    @property
    def hosts(self) -> Path:
        return self.folder / "_hosts"  # nor this

    async def prepare(self, pod: Object, addresses: Mapping[str, str]) -> None:
        """Make or refresh every volume and the identity.

        Raises:
            Missing: the pod has to wait for something.
            Refused: a volume that is not given here.
            ApiError: no token yet.
        """
        await self.tokens.renew(self.settings.api, pod)
        owner = self.owner(pod)
        write_identity(
            self.identity, pod, self.settings.server, self.settings.authority, self.tokens.values, owner
        )
        mounting.write_hosts(self.hosts, self.settings.sources.services.values())
        for volume in self.volumes(pod).values():
            self.folders[volume["name"]] = self._volume(pod, volume, addresses, owner)

    def _volume(self, pod: Object, volume: Object, addresses: Mapping[str, str], owner: Owner) -> Path:
        kind = kind_of(volume)
        folder = self.folder / "_volumes" / str(volume["name"])
        if kind in RENDERED:
            files = payload(pod, volume, self.settings.sources, addresses, self.tokens.values)
            write(folder, files, owner)
            return folder
        if kind == "emptyDir":
            return self.folders.get(volume["name"]) or empty(folder, owner)
        if kind == "hostPath":
            return of_node(pod, volume, self.settings.disks)
        known = self.folders.get(volume["name"])
        return known or claimed(pod, volume, self.settings.sources, owner, self.settings.disks)

    def volumes(self, pod: Object) -> dict[str, Object]:
        """The pod's volumes by name."""
        return {str(v["name"]): v for v in children(pod, "spec", "volumes")}

    def owner(self, pod: Object) -> Owner:
        """Whom the pod's files belong to: the user of its first container that states one."""
        users = [mounting.user(pod, c, self.settings.real_paths) for c in children(pod, "spec", "containers")]
        return next((user for user in users if user.uid != mounting.NOBODY), users[0])

    def scratch(self, container: Path, owner: Owner) -> Path:
        """The container's own folder, its `tmp` inside; both belong to the process' user."""
        scratch = container / "scratch"
        private_directory(scratch / "tmp")
        own(scratch, owner)
        return scratch

    def temporary(self, container: Path, scratch: Path) -> Path:
        """TMPDIR: `/tmp` where it is the container's own; else a short folder made for it."""
        if self.settings.real_paths:
            return Path("/tmp")
        link = container / "tmp"
        if not link.is_symlink():
            link.symlink_to(tempfile.mkdtemp(dir=private_directory(self.settings.short)))
        return link.readlink()


def own(folder: Path, owner: Owner) -> None:
    """As root: hand a folder and what is in it to the process' user."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
