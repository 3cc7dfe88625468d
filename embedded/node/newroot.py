"""The file system a container's process sees: planned as a tree, then mounted in a namespace of its own.

Standard library only and cheap to import: the shim loads it. Planning reads this machine's folders;
`build` alone mounts, and never outside the folder it is given.
"""

# ruff: noqa: PTH103, PTH112, PTH114, PTH115, PTH118, PTH120, PTH208, PTH211
# os.path throughout: pathlib would cost each shim more memory than its own code.

import ctypes
import os

NEWNS, NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
# Flags a mount already has and that a user namespace may not drop: statvfs bit -> mount flag.
LOCKED = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}
PRIVATE = ("tmp", "run", "home", "root", "lost+found")
"""Top-level folders of this machine that no container sees."""


class Folder:
    """A folder of the new root itself."""

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}


class Link:
    """A symbolic link."""

    def __init__(self, target: str) -> None:
        self.target = target


class Bind:
    """A file or folder of this machine; `own` means that mount points may be made inside it."""

    def __init__(self, source: str, readonly: bool = False, own: bool = False) -> None:
        self.source = source
        self.readonly = readonly
        self.own = own
        self.over: dict[str, Node] = {}


Node = Folder | Link | Bind


def _of(path: str) -> Link | Bind:
    """What stands for `path` of this machine in the new root."""
    return Link(os.readlink(path)) if os.path.islink(path) else Bind(path)


def _opened(source: str, leave_out: tuple[str, ...] = ()) -> Folder:
    """A folder of the new root that shows what is in `source`."""
    folder = Folder()
    for name in os.listdir(source):
        if name not in leave_out:
            folder.children[name] = _of(os.path.join(source, name))
    return folder


def plan(binds: list[list[str]], hidden: list[str]) -> Folder:
    """The new root as a tree.

    Args:
        binds: (source, target, mode) with mode `rw`, `ro` (a mount of the pod) or `see` (a folder of
            this machine that must be visible at its own path, as it is).
        hidden: folders of this machine that appear empty, apart from binds below them.
    """
    root = _opened("/", PRIVATE)
    for name, node in list(root.children.items()):
        if isinstance(node, Bind) and not os.path.isdir(node.source):
            del root.children[name]
    for name in ("tmp", "run", "home", "root"):
        root.children[name] = Folder()
    if isinstance(root.children.get("var"), Bind):
        root.children["var"] = _opened("/var", ("tmp",))
        root.children["var"].children["tmp"] = Folder()
    for path in sorted(hidden):
        if os.path.isdir(path):
            _place(root, path, Folder())
    for source, target, mode in sorted(binds, key=lambda bind: bind[1].count("/")):
        if mode == "see" and _shows(root, target):
            continue
        _place(root, target, Bind(source, mode == "ro", own=mode != "see"))
    return root


def _shows(root: Folder, path: str) -> bool:
    """Whether `path` of this machine is visible at its own path already."""
    node: Node = root
    walked = "/"
    for part in _parts(path):
        if isinstance(node, Bind):
            return node.source == walked and not node.own
        if isinstance(node, Link):
            return False
        walked = os.path.join(walked, part)
        child = node.children.get(part)
        if child is None:
            return False
        node = child
    return isinstance(node, Bind) and node.source == walked


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _place(root: Folder, path: str, leaf: Folder | Bind, links: int = 0) -> None:
    """Put `leaf` at `path`, following links and opening folders of this machine on the way."""
    if links > 40:
        raise OSError(40, "too many symbolic links", path)
    parts = _parts(path)
    if not parts or ".." in parts:
        raise ValueError(f"cannot mount at {path!r}")
    folder = root
    for index, part in enumerate(parts[:-1]):
        child = folder.children.get(part)
        if isinstance(child, Link):
            return _place(root, _follow(parts[:index], child, parts[index + 1 :]), leaf, links + 1)
        if isinstance(child, Bind) and child.own:
            # A volume of the pod: the mount point is made inside it, as container runtimes do.
            child.over["/".join(parts[index + 1 :])] = leaf
            return None
        if not isinstance(child, Folder):
            child = _opened(child.source) if child else Folder()
            folder.children[part] = child
        folder = child
    child = folder.children.get(parts[-1])
    if isinstance(child, Link):
        return _place(root, _follow(parts[:-1], child, []), leaf, links + 1)
    seen = isinstance(leaf, Bind) and not leaf.own
    if not (seen and isinstance(child, Folder) and child.children):
        folder.children[parts[-1]] = leaf
    return None


def _follow(before: list[str], link: Link, after: list[str]) -> str:
    """Where a path with a link in the middle leads."""
    return os.path.normpath(os.path.join("/", *before, link.target, *after))


def isolate(uid: int, gid: int) -> None:
    """Give this process a mount namespace of its own; for an ordinary user inside a user namespace.

    Raises:
        OSError: the kernel does not allow it here.
    """
    if os.geteuid() == 0:
        _call("unshare", NEWNS)
    else:
        _call("unshare", NEWNS | NEWUSER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    mount("none", "/", MS_REC | MS_PRIVATE)


def build(root: Folder, at: str) -> None:
    """Mount the tree below the empty folder `at` of this (private) mount namespace."""
    mount("tmpfs", at, 2 | 4, "tmpfs", "mode=0755,size=16m")
    _build(root, at)


def enter(at: str) -> None:
    """Make `at` the root folder of this process."""
    os.chroot(at)
    os.chdir("/")


def _build(node: Node, path: str) -> None:
    if isinstance(node, Link):
        os.symlink(node.target, path)
    elif isinstance(node, Folder):
        os.makedirs(path, 0o755, exist_ok=True)
        for name, child in node.children.items():
            _build(child, os.path.join(path, name))
    else:
        _bind(node, path)


def _bind(node: Bind, path: str) -> None:
    _mount_point(path, os.path.isdir(node.source))
    mount(node.source, path, MS_BIND | MS_REC)
    for inside, child in node.over.items():
        target = os.path.join(path, inside)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _build(child, target)
    if node.readonly:
        flags = os.statvfs(path).f_flag
        kept = sum(flag for bit, flag in LOCKED.items() if flags & bit)
        mount("none", path, MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def _mount_point(path: str, folder: bool) -> None:
    if folder:
        os.makedirs(path, 0o755, exist_ok=True)
    elif not os.path.lexists(path):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def find_program(name: str, search: str) -> str:
    """Path of a program: as it is when it names a folder, else the first match in `search`."""
    if "/" in name:
        return name
    places = [os.path.join(folder, name) for folder in search.split(":")]
    return next((place for place in places if os.access(place, os.X_OK)), name)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, flags: int, kind: str | None = None, options: str | None = None) -> None:
    """mount(2).

    Raises:
        OSError: with the target as its file name.
    """
    encoded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    if _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount: {os.strerror(number)}", target)


def _call(name: str, *arguments: int) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def setns(descriptor: int) -> None:
    """setns(2): join the namespace behind `descriptor`."""
    _call("setns", descriptor, 0)


def prctl(option: int, value: int) -> None:
    """prctl(2) with one argument."""
    _call("prctl", option, value, 0, 0, 0)
