"""Run a command beside a container's process: `python -I -S enter.py <pid> <command> …`.

It joins the process' namespaces and root folder, becomes its user and takes over its environment and
working folder. Standard library only.
"""

# ruff: noqa: PTH100, PTH115, PTH120, PTH123
# os.path throughout: pathlib would cost each shim more memory than its own code.

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import newroot


def numbers(pid: str, field: str) -> list[int]:
    """Values of a line of /proc/<pid>/status."""
    with open(f"/proc/{pid}/status") as stream:
        line = next(line for line in stream if line.startswith(field + ":"))
    return [int(value) for value in line.split()[1:]]


def foreign(pid: str, kind: str) -> int | None:
    """Descriptor of the process' namespace of this kind; None when this process is in it already."""
    theirs, own = f"/proc/{pid}/ns/{kind}", f"/proc/self/ns/{kind}"
    return None if os.readlink(theirs) == os.readlink(own) else os.open(theirs, os.O_RDONLY)


def main() -> None:
    pid, argv = sys.argv[1], sys.argv[2:]
    with open(f"/proc/{pid}/environ", "rb") as stream:
        pairs = [entry.partition(b"=") for entry in stream.read().split(b"\0") if entry]
    environment = {name: value for name, _equals, value in pairs}
    uid, gid, groups = numbers(pid, "Uid")[0], numbers(pid, "Gid")[0], numbers(pid, "Groups")
    folder = os.open(f"/proc/{pid}/cwd", os.O_RDONLY)
    root = os.open(f"/proc/{pid}/root", os.O_RDONLY)
    spaces = [foreign(pid, kind) for kind in ("user", "mnt")]
    for space in spaces:
        if space is not None:
            newroot.setns(space)
    if spaces[1] is not None:
        os.fchdir(root)
        os.chroot(".")
    os.fchdir(folder)
    if os.geteuid() == 0 and uid != 0:
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)
    newroot.prctl(38, 1)
    # Not execvpe: it imports, and this machine's Python may be out of sight by now.
    search = environment.get(b"PATH", b"").decode() or os.defpath
    os.execve(newroot.find_program(argv[0], search), argv, environment)


if __name__ == "__main__":
    main()
