"""Where a container finds its pod's volumes, and as whom it runs."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from corral.embedded.kube import Object
from corral.embedded.node.endpoints import cluster_ip
from corral.embedded.node.environment import expand
from corral.embedded.node.volumes import RENDERED, Owner, kind_of
from corral.embedded.objects import at, child, children

NOBODY = 65534
Bind = tuple[str, str, str]
"""Source, target, and `rw`, `ro` or `see` (a folder of this machine at its own path)."""


@dataclass(frozen=True)
class Mount:
    """One volumeMount: `source` on this machine stands at `target`."""

    source: Path
    target: str
    readonly: bool


def mounts(
    container: Object, volumes: Mapping[str, Object], folders: Mapping[str, Path], env: Mapping[str, str]
):
    """The container's mounts; a missing `subPath` in a writable volume becomes a folder.

    Args:
        volumes: the pod's volumes by name.
        folders: where each of them is.
        env: the container's environment, for `subPathExpr`.
    """
    result: list[Mount] = []
    for stated in children(container, "volumeMounts"):
        volume = volumes[stated["name"]]
        rendered = kind_of(volume) in RENDERED
        source = folders[stated["name"]]
        inside = str(stated.get("subPath") or expand(str(stated.get("subPathExpr") or ""), env))
        if inside:
            if ".." in inside.split("/"):
                raise ValueError(f"subPath {inside!r} leaves the volume {stated['name']!r}")
            # Mounting follows the link to the file as it is now: not refreshed, as with a kubelet.
            source = source / inside
            if not source.exists():
                _make(source, folders[stated["name"]])
        readonly = rendered or bool(stated.get("readOnly")) or _claim_readonly(volume)
        result.append(Mount(source, str(stated["mountPath"]).rstrip("/") or "/", readonly))
    return result


def _make(folder: Path, volume: Path) -> None:
    folder.mkdir(parents=True)
    above = volume.stat()
    for made in (folder, *folder.parents):
        if made == volume:
            return
        if os.geteuid() == 0:
            os.chown(made, above.st_uid, above.st_gid)
        made.chmod(above.st_mode & 0o7777)


def _claim_readonly(volume: Object) -> bool:
    return bool(at(volume, "persistentVolumeClaim", "readOnly"))


def user(pod: Object, container: Object, real_paths: bool) -> Owner:
    """Whom the container's process runs as: as root `runAsUser` or nobody, otherwise this user.

    A pod that asks for uid 0 runs as nobody. The process keeps this user where mounts are mapped, since
    another one could not reach its files, and where the user namespace has no such user or group.
    """
    this_user = Owner(os.geteuid(), os.getegid(), None)
    if this_user.uid != 0 or not real_paths:
        return this_user
    context: dict[str, Any] = {
        **child(pod, "spec", "securityContext"),
        **child(container, "securityContext"),
    }
    uid = int(context.get("runAsUser") or NOBODY)
    owner = Owner(uid, int(context.get("runAsGroup") or uid), context.get("fsGroup"))
    is_there = _mapped("uid", uid) and all(_mapped("gid", gid) for gid in groups(pod, owner))
    return owner if is_there else this_user


@cache
def _mapped(kind: str, number: int) -> bool:
    """Whether the user namespace of this process has a user (`uid`) or group (`gid`) of this number."""
    lines = Path(f"/proc/self/{kind}_map").read_text().splitlines()
    ranges = [(int(first), int(count)) for first, _outside, count in map(str.split, lines)]
    return any(first <= number < first + count for first, count in ranges)


def groups(pod: Object, owner: Owner) -> list[int]:
    """Supplementary groups of the process."""
    more = cast(list[int], at(pod, "spec", "securityContext", "supplementalGroups") or [])
    return sorted({owner.gid, *(int(group) for group in more), *([owner.group] if owner.group else [])})


def binds(
    own: Iterable[Mount], visible: Iterable[Path], scratch: Path, identity: Path, passwd: Path, hosts: Path
) -> list[Bind]:
    """What the new root shows besides this machine's own folders."""
    result: list[Bind] = [
        (str(scratch), str(scratch), "rw"),
        (str(scratch / "tmp"), "/tmp", "rw"),
        (str(scratch / "tmp"), "/var/tmp", "rw"),
        (str(identity), str(identity), "ro"),
        (str(passwd), "/etc/passwd", "ro"),
        (str(hosts), "/etc/hosts", "ro"),
    ]
    for folder in visible:
        result.extend({(str(path), str(path), "see") for path in (folder, folder.resolve())})
    result.extend((str(m.source), m.target, "ro" if m.readonly else "rw") for m in own)
    return result


def write_hosts(path: Path, services: Iterable[Object]) -> None:
    """This machine's host names, and the cluster's names of Services: no DNS server of a plane knows them.

    The file stays the same one, which running containers see.
    """
    named = {f"{s['metadata']['name']}.{s['metadata']['namespace']}.svc": cluster_ip(s) for s in services}
    lines = [f"{ip} {name}.cluster.local {name}\n" for name, ip in sorted(named.items()) if ip is not None]
    text = f"{Path('/etc/hosts').read_text().rstrip()}\n{''.join(lines)}"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        path.chmod(0o644)


def write_passwd(path: Path, owner: Owner, home: Path) -> None:
    """This machine's user list, with an entry for the process' user if it has none."""
    text = Path("/etc/passwd").read_text()
    if not any(line.split(":")[2:3] == [str(owner.uid)] for line in text.splitlines()):
        text = f"{text.rstrip()}\npod:x:{owner.uid}:{owner.gid}:pod:{home}:/bin/sh\n"
    path.write_text(text)
    path.chmod(0o644)
