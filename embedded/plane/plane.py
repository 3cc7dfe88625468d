"""A plane's life: up, stop, down. Each may be called at any time, again, and after any interruption."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

from corral.embedded import toolchain
from corral.embedded.home import Home, PlaneHome, private_directory
from corral.embedded.node import shutdown
from corral.embedded.plane import charts, control
from corral.embedded.plane.addresses import AddressesInUse, Claim, claim, claim_any, free, free_ports
from corral.embedded.plane.daemons import daemons
from corral.embedded.plane.processes import Process, end, running, with_variable
from corral.embedded.plane.readiness import api_ready
from corral.embedded.plane.record import NoPlane, PlaneRecord
from corral.embedded.plane.state import PlaneState
from corral.embedded.plane.supervisor import FAILED, READY

Report = Callable[[str], None]

INVENTORY = Path(__file__).parent.parent / "hardware" / "inventory.yaml"
LONGEST_SOCKET = 100
NEEDED_BYTES = 512 * 1024 * 1024
PLANE_FILES = frozenset(
    (
        "plane.json",
        "kubeconfig",
        "control",
        "run",
        "logs",
        "pods",
        "disks",
        "volumes",
        "engine",
        "charts",
        "lock",
    )
)
"""What a plane's folder may hold."""


class PlaneError(Exception):
    """The plane cannot do what was asked; the text says what, where and what helps."""


def up(home: Home, name: str, report: Report) -> PlaneRecord:
    """Bring the plane `name` up and wait until it is ready; nothing happens when it is.

    Raises:
        PlaneError: it does not come up; names the failing part and the end of its log.
        AddressesInUse: somebody else has its ports or addresses.
        ToolMissing: a program of the toolchain is not there.
    """
    if sys.platform != "linux":
        raise PlaneError(
            f"the embedded platform runs on Linux, this is {sys.platform}; "
            "elsewhere use a stack with `cluster: {kind: existing}`"
        )
    plane = home.plane(name)
    private_directory(plane.root)
    _require_space(plane)
    with _locked_plane(plane, report):
        state = PlaneState.load(plane)
        if state.supervised and state.ready and all_running(state) and api_ready(plane):
            report(f"plane {name} is running")
            return PlaneRecord.load(plane)
        if state.supervisor:
            end([state.supervisor])
        record, ranges = _record(home, plane)
        charts.link(plane.root / "charts", charts.names(), toolchain.chart)
        _define(plane, record, report)
        _ports_free(plane, record)
        _supervise(home, plane, ranges, report)
        ranges.lock.close()
        return record


def stop(home: Home, name: str, report: Report) -> None:
    """End every process of the plane; data, volumes and the engine's state stay."""
    plane = home.plane(name)
    if not plane.root.is_dir():
        report(f"there is no plane {name} in {home.root}")
        return
    with _locked_plane(plane, report):
        _stop(plane, report)


def down(home: Home, name: str, report: Report) -> None:
    """End the plane and discard its folder: data, volumes, logs and the engine's state.

    Raises:
        PlaneError: the folder is not a plane's, or something is mounted in it.
    """
    plane = home.plane(name)
    if not os.path.lexists(plane.root):
        report(f"there is no plane {name} in {home.root}")
        return
    _refuse_foreign_files(plane)
    with _locked_plane(plane, report):
        _stop(plane, report)
        _refuse_mounts(plane)
        report(f"discarding {plane.root}")
        shutil.rmtree(plane.root, onerror=_make_writable)


def _stop(plane: PlaneHome, report: Report) -> None:
    state = PlaneState.load(plane)
    # The supervisor first, or it starts again what ends; the node next, for the same reason.
    if state.supervisor:
        end([state.supervisor])
    end(_processes(state, daemons(plane)))
    # The engine at work, and what a killed one has left: its providers do not end with it.
    end(with_variable("PULUMI_HOME", str(plane.engine / "home")))
    report("ending pods")
    shutdown.end_all(plane)
    report("ending the control plane")
    components = control.programs(plane) if control.defined(plane) else []
    for program in reversed(components):
        end(_processes(state, [program]))
    plane.kubeconfig.unlink(missing_ok=True)
    with contextlib.suppress(NoPlane):
        PlaneRecord.load(plane).egress.unlink(missing_ok=True)
    PlaneState(
        programs={
            name: replace(entry, phase="stopped", process=None, note="")
            for name, entry in state.programs.items()
        }
    ).save(plane)


def _processes(state: PlaneState, programs: list[control.Program]) -> list[Process]:
    """Processes of `programs`, by the supervisor's record and by their arguments."""
    recorded = [state.programs[p.name].process for p in programs if p.name in state.programs]
    by_arguments = [running(program.argv) for program in programs]
    return list({process for process in (*recorded, *by_arguments) if process})


def all_running(state: PlaneState) -> bool:
    """Whether every program of the plane runs."""
    return all(
        entry.phase == "running" and entry.process is not None and entry.process.alive
        for entry in state.programs.values()
    )


def _record(home: Home, plane: PlaneHome) -> tuple[PlaneRecord, Claim]:
    """The plane's record, made at the first start, and its address ranges, claimed."""
    try:
        record = PlaneRecord.load(plane)
    except NoPlane:
        # Nothing was started without a record: what else the folder holds is of no use.
        return _new_record(home, plane)
    ranges = claim(record.service_octet)
    if ranges is None:
        raise AddressesInUse(
            f"{record.service_range}, the address range of plane {plane.name!r}, belongs to another running "
            f"plane of this machine: stop that one, or `corral down -s {plane.name}` to start anew"
        )
    return record, ranges


def _new_record(home: Home, plane: PlaneHome) -> tuple[PlaneRecord, Claim]:
    others: list[PlaneRecord] = []
    for file in home.root.glob("*/plane.json"):
        with contextlib.suppress(NoPlane):
            others.append(PlaneRecord.load(PlaneHome(file.parent)))
    ranges = claim_any({other.service_octet for other in others})
    taken = {port for other in others for port in (other.api_port, *other.ports.values())}
    ports = free_ports(ranges.octet, taken)
    record = PlaneRecord(
        name=plane.name,
        api_port=ports.pop("kubeApiserverPort"),
        service_range=ranges.service_range,
        pod_octet=ranges.pod_octet,
        inventory=str(INVENTORY),
        egress_socket=str(_socket(plane)),
        ports=ports,
    )
    record.save(plane)
    return record, ranges


def _socket(plane: PlaneHome) -> Path:
    """Path of the egress socket; Unix sockets have at most 107 bytes."""
    direct = private_directory(plane.run) / "egress.sock"
    if len(os.fsencode(direct)) <= LONGEST_SOCKET:
        return direct
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(runtime) / "corral" if runtime else Path(f"/tmp/corral-{os.getuid()}")
    private_directory(base)
    status = base.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PlaneError(f"{base} must be a folder of yours that nobody else may enter")
    digest = hashlib.sha256(os.fsencode(plane.root)).hexdigest()[:16]
    return base / f"{digest}.sock"


def _define(plane: PlaneHome, record: PlaneRecord, report: Report) -> None:
    report("starting the control plane")
    try:
        control.define(plane, record, toolchain.tool)
    except control.ControlPlaneError as cause:
        raise PlaneError(str(cause)) from cause


def _ports_free(plane: PlaneHome, record: PlaneRecord) -> None:
    """Refuse to start what could not listen."""
    users = {
        "kube-apiserver": [record.api_port],
        "etcd": [record.ports["etcdPort"], record.ports["etcdPeerPort"]],
        "kube-controller-manager": [record.ports["kubeControllerManagerPort"]],
        "kube-scheduler": [record.ports["kubeSchedulerPort"]],
        "kwok-controller": [record.ports["kwokControllerPort"]],
    }
    state = PlaneState.load(plane)
    for program in control.programs(plane):
        entry = state.programs.get(program.name)
        busy = [port for port in users[program.name] if not free(port)]
        if busy and running(program.argv) is None and entry and entry.process:
            # A program that was killed has no arguments any more, and its ports until it is gone.
            end([entry.process])
            busy = [port for port in busy if not free(port)]
        if busy and running(program.argv) is None:
            raise AddressesInUse(
                f"port {busy[0]} of plane {plane.name!r} ({program.name}) is in use by another program: end "
                f"that one, or `corral down -s {plane.name}` to start anew with other ports"
            )


def _supervise(home: Home, plane: PlaneHome, ranges: Claim, report: Report) -> None:
    """Start the supervisor and relay what it says until the plane is ready."""
    private_directory(plane.logs)
    log = plane.logs / "supervisor.log"
    reading, writing = os.pipe()
    try:
        with log.open("ab") as output:
            subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "corral.embedded.plane.supervisor"),
                    *("--home", str(plane.root), "--report", str(writing)),
                    *("--claim", str(ranges.lock.fileno())),
                ],
                cwd=plane.root,
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[writing, ranges.lock.fileno()],
                start_new_session=True,
                umask=0o077,
            )
    finally:
        os.close(writing)
    with os.fdopen(reading) as pipe:
        for line in pipe:
            message = line.rstrip("\n").replace("\0", "\n")
            if message == READY:
                return
            if message.startswith(FAILED):
                raise PlaneError(f"plane {plane.name!r} does not come up: {message.removeprefix(FAILED)}")
            report(message)
    raise PlaneError(f"the supervisor of plane {plane.name!r} ended\n{control.tail(log)}")


def _environment(home: Home) -> dict[str, str]:
    """What daemons and programs inherit: no kubeconfig, no credentials of the user's."""
    kept = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "PYTHONPATH", "GOGC")
    return {
        **{n: value for n, value in os.environ.items() if n in kept or n.startswith("CORRAL_")},
        "CORRAL_HOME": str(home.root),
        "CORRAL_TOOLCHAIN": str(home.toolchain),
    }


@contextlib.contextmanager
def _locked_plane(plane: PlaneHome, report: Report) -> Generator[None]:
    """Hold the plane's lock: one command at a time changes a plane; what it writes is its owner's alone."""
    path = plane.root / "lock"
    previous = os.umask(0o077)
    try:
        yield from _locked(path, report)
    finally:
        os.umask(previous)


def _locked(path: Path, report: Report) -> Generator[None]:
    while True:
        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                report(f"waiting for another command on plane {path.parent.name}")
                fcntl.flock(lock, fcntl.LOCK_EX)
            # `down` removes the lock with the folder; whoever waited for it then holds a file without name.
            private_directory(path.parent)
            if _same(path, lock.fileno()):
                yield
                return


def _same(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _require_space(plane: PlaneHome) -> None:
    left = shutil.disk_usage(plane.root).free
    if left < NEEDED_BYTES:
        raise PlaneError(
            f"{left // 2**20} MiB are free in {plane.root}, a plane needs {NEEDED_BYTES // 2**20}: "
            "make room, or name another place by CORRAL_HOME"
        )


def _refuse_foreign_files(plane: PlaneHome) -> None:
    if plane.root.is_symlink() or not plane.root.is_dir():
        raise PlaneError(f"{plane.root} is no plane's folder: nothing was discarded")
    strange = sorted(entry.name for entry in plane.root.iterdir() if not _is_plane_file(entry.name))
    if strange:
        raise PlaneError(
            f"{plane.root} holds {', '.join(strange[:3])}, which is no plane's: nothing was discarded"
        )


def _is_plane_file(entry: str) -> bool:
    # `.name.pid` is what an interrupted atomic write leaves.
    return entry in PLANE_FILES or (entry.startswith(".") and entry[1:].rpartition(".")[0] in PLANE_FILES)


def _refuse_mounts(plane: PlaneHome) -> None:
    inside = f"{plane.root}/"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4].encode().decode("unicode_escape")
        if point.startswith(inside):
            raise PlaneError(
                f"{point} is still mounted: unmount it, then `corral down -s {plane.name}` again"
            )


def _make_writable(function: Callable[..., object], path: str, _error: object) -> None:
    """Programs may have left read-only folders: open the way and try once more."""
    parent = Path(path).parent
    parent.chmod(0o700)
    if Path(path).is_dir() and not Path(path).is_symlink():
        Path(path).chmod(0o700)
        shutil.rmtree(path)
    else:
        function(path)
