"""Waits for one container's process and records how it ended; outlives the node that started it.

Run as `python -I -S shim.py <attempt.json>`, the process' environment as JSON on standard input.
Standard library only, kept small: one shim waits per container. `process.json` names shim and process by
pid and start time; `exit.json` says how the process ended. Descriptor `started`, when given, gets one
byte once the program runs and is closed without one when it could not be started.
"""

# ruff: noqa: PTH100, PTH105, PTH120, PTH123
# os.path throughout: pathlib would cost each shim more memory than its own code.

import contextlib
import json
import os
import signal
import sys
import time

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

import newroot

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Attempt(TypedDict):
        """The content of an attempt's file, written by attempts.py."""

        argv: list[str]
        cwd: str
        uid: int
        gid: int
        groups: list[int]
        root: str | None
        binds: list[list[str]]
        hidden: list[str]
        log: str
        process: str
        exit: str
        started: int | None


def start_time(pid: int) -> int:
    """Start time of a process in clock ticks since boot."""
    with open(f"/proc/{pid}/stat") as stream:
        text = stream.read()
    return int(text[text.rindex(")") + 2 :].split()[19])


def write(path: str, content: dict[str, int | float | str]) -> None:
    """Replace a file atomically, readable by the owner alone."""
    scratch = path + ".new"
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(scratch, path)


def become(attempt: "Attempt") -> None:
    """In the child: namespace, root, user, working folder; everything but the program itself."""
    uid, gid = attempt["uid"], attempt["gid"]
    # The program's, as container runtimes set it; and every user must be able to enter the new root.
    os.umask(0o022)
    if attempt["root"]:
        tree = newroot.plan(attempt["binds"], attempt["hidden"])
        newroot.isolate(os.getuid(), os.getgid())
        newroot.build(tree, attempt["root"])
        newroot.enter(attempt["root"])
    if os.geteuid() == 0 and uid != 0:
        # As container runtimes do: a program may open /dev/stdout anew.
        os.fchown(1, uid, gid)
        os.setgroups(attempt["groups"])
        os.setgid(gid)
        os.setuid(uid)
    newroot.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    newroot.prctl(PR_SET_NO_NEW_PRIVS, 1)
    os.chdir(attempt["cwd"])


def run_child(attempt: "Attempt", environment: dict[str, str], report: int) -> None:
    """Turn this process into the program; what goes wrong is written to `report`."""
    try:
        os.setsid()
        become(attempt)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        argv = attempt["argv"]
        program = newroot.find_program(argv[0], environment.get("PATH", os.defpath))
        os.execve(program, argv, environment)
    except BaseException as cause:
        os.write(report, f"{attempt['argv'][0]}: {cause}".encode())
    finally:
        os._exit(127)


def send(pid: int, number: int) -> None:
    """Send a signal to a process, which may have ended in the meantime."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def end_children() -> None:
    """Kill what the program left behind: this process is the reaper of its orphans."""
    while True:
        with open("/proc/thread-self/children") as stream:
            left = stream.read().split()
        for pid in left:
            send(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def wait_for(child: int) -> int:
    """Reap until `child` itself ended; its wait status."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return status


def main() -> None:
    with open(sys.argv[1]) as stream:
        attempt: Attempt = json.load(stream)
    environment: dict[str, str] = json.load(sys.stdin)
    started = attempt.get("started")
    if started is not None:
        os.set_inheritable(started, False)
    log = os.open(attempt["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    newroot.prctl(PR_SET_CHILD_SUBREAPER, 1)
    me: dict[str, int | float | str] = {"shim": os.getpid(), "shim_start": start_time(os.getpid())}
    write(attempt["process"], me)
    problem, report = os.pipe()
    child = os.fork()
    if child == 0:
        run_child(attempt, environment, report)
    os.close(report)
    signal.signal(signal.SIGTERM, lambda _number, _frame: send(child, signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    write(attempt["process"], {**me, "pid": child, "start": start_time(child)})
    trouble = b""
    while chunk := os.read(problem, 4096):
        trouble += chunk
    if started is not None:
        if not trouble:
            os.write(started, b"1")
        os.close(started)
    status = wait_for(child)
    end_children()
    outcome: dict[str, int | float | str] = {"code": os.waitstatus_to_exitcode(status), "finished": now()}
    if trouble:
        outcome |= {"code": 128, "problem": trouble.decode(errors="replace")}
        os.write(2, trouble + b"\n")
    write(attempt["exit"], outcome)


def attempt_mounts(folder: str) -> None:
    """Fail unless this user may build a new root here."""
    tree = newroot.plan([], [])
    newroot.isolate(os.getuid(), os.getgid())
    newroot.build(tree, folder)
    newroot.enter(folder)


def now() -> float:
    return time.time()


if __name__ == "__main__":
    attempt_mounts(sys.argv[2]) if sys.argv[1] == "--try" else main()
