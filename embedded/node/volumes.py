"""A pod's volumes as folders of this machine."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from corral.embedded.kube import Object
from corral.embedded.node.program_spec import Refused
from corral.embedded.node.sources import Missing, Sources, field, resource_field
from corral.embedded.objects import at, children

CURRENT = "..data"
RENDERED = ("configMap", "secret", "projected", "downwardAPI")
GIVEN = (*RENDERED, "emptyDir", "hostPath", "persistentVolumeClaim")
MADE = "DirectoryOrCreate"


@dataclass(frozen=True)
class Owner:
    """Whom the files of a pod belong to; used only when the node runs as root."""

    uid: int
    gid: int
    group: int | None
    """fsGroup."""


@dataclass(frozen=True)
class File:
    content: bytes
    mode: int


Payload = dict[str, File]
"""Relative path -> file."""


def kind_of(volume: Object) -> str:
    """Which volume source it is.

    Raises:
        Refused: one that the node does not give.
    """
    kind = next((key for key in volume if key != "name"), "emptyDir")
    if kind not in GIVEN:
        raise Refused(f"volume {volume['name']!r}: {kind} is not given here; use {', '.join(sorted(GIVEN))}")
    return kind


def payload(
    pod: Object,
    volume: Object,
    sources: Sources,
    addresses: Mapping[str, str],
    tokens: Mapping[tuple[str, int], str],
) -> Payload:
    """The files of a rendered volume; `tokens` by (audience, seconds asked for).

    Raises:
        Missing: something that is not optional is not there.
    """
    kind = kind_of(volume)
    source = cast(Object, volume[kind])
    if kind != "projected":
        return _one(pod, kind, source, sources, addresses, tokens, int(source.get("defaultMode", 0o644)))
    mode = int(source.get("defaultMode", 0o644))
    files: Payload = {}
    for part in children(source, "sources"):
        for inner in part:
            files.update(_one(pod, inner, part[inner], sources, addresses, tokens, mode))
    return files


def _one(
    pod: Object,
    kind: str,
    source: Object,
    sources: Sources,
    addresses: Mapping[str, str],
    tokens: Mapping[tuple[str, int], str],
    mode: int,
) -> Payload:
    if kind == "serviceAccountToken":
        return {source["path"]: File(tokens[token_key(source)].encode(), mode)}
    items = children(source, "items")
    if kind == "downwardAPI":
        return {
            item["path"]: File(_downward(pod, item, addresses).encode(), int(item.get("mode") or mode))
            for item in items
        }
    if kind not in ("configMap", "secret"):
        raise Refused(f"projected source {kind} is not given here")
    content = sources.read(kind, pod["metadata"]["namespace"], source)
    if content is None:
        return {}
    if not items:
        return {key: File(value, mode) for key, value in content.items()}
    files: Payload = {}
    for item in items:
        if item["key"] in content:
            files[item["path"]] = File(content[item["key"]], int(item.get("mode") or mode))
        elif not source.get("optional"):
            name = source.get("secretName") or source.get("name")
            raise Missing(f'{kind.lower()} "{name}" references non-existent key: {item["key"]}')
    return files


def _downward(pod: Object, item: Object, addresses: Mapping[str, str]) -> str:
    if "fieldRef" in item:
        return field(pod, item["fieldRef"]["fieldPath"], addresses)
    return resource_field(pod, "", item["resourceFieldRef"])


def token_key(source: Object) -> tuple[str, int]:
    """(audience, seconds) of a serviceAccountToken source; audience empty: the API server's."""
    return str(source.get("audience") or ""), int(source.get("expirationSeconds") or 3600)


def token_keys(pod: Object) -> set[tuple[str, int]]:
    """Tokens that the pod's projected volumes ask for."""
    return {
        token_key(part["serviceAccountToken"])
        for volume in children(pod, "spec", "volumes")
        for part in children(volume, "projected", "sources")
        if "serviceAccountToken" in part
    }


def write(folder: Path, files: Payload, owner: Owner) -> bool:
    """Bring `folder` up to date in one step, as the kubelet does: a `..data` link is swapped.

    Returns whether anything changed. Files belong to the pod's user; with an fsGroup they belong to root
    and that group. An ordinary user's node keeps only the owner's permission bits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / CURRENT
    if link.is_symlink() and _read(folder / link.readlink()) == {k: f.content for k, f in files.items()}:
        return False
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    fresh.chmod(0o755)
    folder.chmod(0o755)
    set_owner(folder, owner)
    set_owner(fresh, owner)
    for relative, file in files.items():
        target = fresh / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(file.content)
        for parent in target.relative_to(fresh).parents[:-1]:
            (fresh / parent).chmod(0o755)
            set_owner(fresh / parent, owner)
        target.chmod(_mode(file.mode, owner))
        set_owner(target, owner)
    old = folder / link.readlink() if link.is_symlink() else None
    swap = folder / "..data_tmp"
    swap.unlink(missing_ok=True)
    swap.symlink_to(fresh.name)
    swap.replace(link)
    _link_tops(folder, files)
    if old is not None:
        shutil.rmtree(old)
    return True


def _link_tops(folder: Path, files: Payload) -> None:
    tops = {relative.split("/")[0] for relative in files}
    for entry in folder.iterdir():
        if not entry.name.startswith("..") and entry.name not in tops:
            entry.unlink()
    for top in tops:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(f"{CURRENT}/{top}")


def _read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _mode(stated: int, owner: Owner) -> int:
    if os.geteuid() != 0:
        return stated & 0o700 | 0o400
    return stated | 0o440 if owner.group is not None else stated


def set_owner(path: Path, owner: Owner) -> None:
    """As root: `path` belongs to the pod's user, or to root and its fsGroup."""
    if os.geteuid() == 0:
        user = owner.uid if owner.group is None else 0
        os.chown(path, user, owner.gid if owner.group is None else owner.group, follow_symlinks=False)


def empty(folder: Path, owner: Owner) -> Path:
    """An emptyDir: every user of the pod may write."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, owner.uid, owner.gid if owner.group is None else owner.group)
    folder.chmod(0o777 if owner.group is None else 0o2777)
    return folder


def of_node(pod: Object, volume: Object, disks: Path) -> Path:
    """Folder of a `hostPath` on the disk of the pod's node, which is a folder here.

    Raises:
        Missing: it is not there, and is not to be made.
        Refused: it is no folder of the disk.
    """
    stated, name = volume["hostPath"], volume["name"]
    kind = stated.get("type") or ""
    if kind not in ("", "Directory", MADE):
        raise Refused(f"volume {name!r}: hostPath of type {kind} is not given here; use Directory or {MADE}")
    folder = _on_disk(pod, str(stated["path"]), disks)
    if kind == MADE:
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        raise Missing(f"folder {stated['path']} of volume {name!r} is not on the node's disk, {folder}")
    return folder


def _on_disk(pod: Object, path: str, disks: Path) -> Path:
    """`path` of the pod's node.

    Raises:
        Refused: it leads out of the disk.
    """
    disk = disks / pod["spec"]["nodeName"]
    folder = disk / path.lstrip("/")
    if not folder.resolve().is_relative_to(disk.resolve()) or folder.resolve() == disk.resolve():
        raise Refused(f"{path} is no folder of the node's disk")
    return folder


def claimed(pod: Object, volume: Object, sources: Sources, owner: Owner, disks: Path) -> Path:
    """Folder behind a PersistentVolumeClaim, writable for the pod's user where it is the claim's alone.

    Raises:
        Missing: not bound yet.
        Refused: its PersistentVolume is no folder of this machine.
    """
    name = volume["persistentVolumeClaim"]["claimName"]
    claim = sources.claims.get((pod["metadata"]["namespace"], name))
    if claim is None or at(claim, "status", "phase") != "Bound":
        raise Missing(f'persistentvolumeclaim "{name}" is not bound')
    bound = sources.volumes.get(("", claim["spec"]["volumeName"]))
    if bound is None:
        raise Missing(f'persistentvolume "{claim["spec"]["volumeName"]}" not found')
    title = f"folder of persistentvolume {bound['metadata']['name']!r}"
    if local := bound["spec"].get("local"):
        folder = _on_disk(pod, str(local["path"]), disks)
        if not folder.is_dir():
            raise Missing(f"{title} is not on the node's disk, {folder}")
        return folder
    place = bound["spec"].get("hostPath")
    if not place:
        raise Refused(f"persistentvolume {bound['metadata']['name']!r} is no folder of this machine")
    folder = Path(place["path"])
    if not folder.is_dir():
        raise Missing(f"{title} is not there")
    current = folder.stat()
    desired = (owner.uid, owner.gid if owner.group is None else owner.group)
    if os.geteuid() == 0 and (current.st_uid, current.st_gid) != desired:
        os.chown(folder, *desired)
        folder.chmod(0o770 if owner.group is None else 0o2770)
    return folder
