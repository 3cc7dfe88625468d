"""The platform as its user has it: the `corral` command, kubectl, and what this machine shows."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from corral.embedded import toolchain
from corral.embedded.engine.engine import environment
from corral.embedded.home import Home, PlaneHome
from corral.embedded.plane.processes import PROC, Process, end
from corral.embedded.plane.record import PlaneRecord

UP_SECONDS = 600
CHECKOUT = Path(__file__).resolve().parents[2]
CORRAL = Path(sys.executable).parent / "corral"
LISTENS = "0A"
UNBOUND_UDP = "07"

Answer = TypeVar("Answer")


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def output(self) -> str:
        return self.out + self.err


@dataclass
class Platform:
    """One stack `dev`, its plane, and the folder that holds everything of it."""

    root: Path
    """CORRAL_HOME."""
    checkout: Path = CHECKOUT
    canaries: dict[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secrets that its user gives in the environment."""

    @property
    def home(self) -> Home:
        return Home(self.root)

    @property
    def plane(self) -> PlaneHome:
        return self.home.plane("dev")

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "nobody"),
            "CORRAL_HOME": str(self.root),
            "CORRAL_TOOLCHAIN": str(Home.find().toolchain),
            "COLUMNS": "200",
            "CORRAL_RANGES": os.environ["CORRAL_RANGES"],
            "GOGC": os.environ["GOGC"],
            **self.secrets,
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """A `corral` command, not awaited."""
        return subprocess.Popen(
            [CORRAL, *arguments],
            cwd=self.checkout,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def corral(self, *arguments: str, seconds: float = 60, stdin: str | None = None) -> Done:
        return self._run([CORRAL, *arguments], self.environment, seconds, stdin)

    def _run(
        self,
        command: Sequence[str | Path],
        variables: Mapping[str, str],
        seconds: float,
        stdin: str | None = None,
    ) -> Done:
        """A command in the checkout, to its end."""
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env=variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def kubectl(self, *arguments: str, stdin: Mapping[str, Any] | None = None, seconds: float = 60) -> str:
        """What kubectl printed; `stdin` is an object for `-f -`. Fails the test when it fails."""
        done = self.try_kubectl(*arguments, stdin=stdin, seconds=seconds)
        assert done.code == 0, f"kubectl {' '.join(arguments)}: {done.output}"
        return done.out

    def try_kubectl(
        self, *arguments: str, stdin: Mapping[str, Any] | None = None, seconds: float = 60
    ) -> Done:
        """kubectl as `corral kubectl` starts it, whether or not it succeeds: polls are many."""
        own = {"KUBECONFIG": str(self.plane.kubeconfig), "KUBECACHEDIR": str(self.plane.run / "kubectl")}
        command = [toolchain.tool("kubectl"), *arguments]
        text = None if stdin is None else json.dumps(stdin)
        return self._run(command, {**self.environment, **own}, seconds, text)

    def read(self, *arguments: str) -> dict[str, Any]:
        """`kubectl get … -o json`."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        return self.read(*arguments)["items"]

    def try_pod(self, namespace: str, image: str, *arguments: str) -> Done:
        """Ask for a pod without having it: admission judges it, nothing is stored."""
        return self.try_kubectl(
            "create", "--dry-run=server", "-f", "-", stdin=pod(namespace, image, *arguments)
        )

    def pulumi(self, *arguments: str, seconds: float = 120) -> Done:
        """The engine as `corral up` runs it, with a question of our own."""
        programs = os.pathsep.join([toolchain.programs_path(), str(toolchain.tool("helm").parent)])
        variables = environment(self.home, self.plane, programs, own_provider=True)
        variables["CORRAL_TOOLCHAIN"] = self.environment["CORRAL_TOOLCHAIN"]
        program = shutil.which("pulumi", path=variables["PATH"])
        assert program is not None
        return self._run([program, *arguments, "--stack", "dev", "--non-interactive"], variables, seconds)

    def shell(self, line: str, stdin: str = "", seconds: float = 120) -> Done:
        """A line as somebody types it in the checkout, with Pulumi, kubectl and corral on PATH."""
        programs = [
            toolchain.programs_path(),
            *(str(toolchain.tool(one).parent) for one in ("helm", "kubectl")),
        ]
        variables = environment(self.home, self.plane, os.pathsep.join(programs), own_provider=True)
        own = {"PATH": variables["PATH"], "KUBECONFIG": str(self.plane.kubeconfig)}
        command = ["bash", "-e", "-o", "pipefail", "-c", line]
        return self._run(command, {**variables, **self.environment, **own}, seconds, stdin)

    def sql(self, statement: str) -> str:
        """What the vector database answers its user `vectors` over verified TLS."""
        done = self.log_in(self.secret("vector-db", "vector-db-credential")["password"], statement)
        assert done.code == 0, done.err
        return done.out.strip()

    def log_in(self, password: str, statement: str = "select 1") -> Done:
        """psql as `vectors` with this password, whether or not the database takes it."""
        service = self.read("service", "vector-db", "-n", "vector-db")
        with tempfile.NamedTemporaryFile("w", suffix=".crt") as authority:
            authority.write(self.secret("vector-db", "vector-db-tls")["ca.crt"])
            authority.flush()
            options = {
                "host": "vector-db.vector-db.svc",
                "hostaddr": service["spec"]["clusterIP"],
                "port": "5432",
                "user": "vectors",
                "dbname": "vectors",
                "sslmode": "verify-full",
                "sslrootcert": authority.name,
            }
            programs = toolchain.postgres_bin()
            done = subprocess.run(
                [
                    programs / "psql",
                    *("--no-psqlrc", "--tuples-only", "--no-align", "--command", statement),
                    " ".join(f"{key}={value}" for key, value in options.items()),
                ],
                env={
                    "LD_LIBRARY_PATH": str(programs.parent / "lib"),
                    "PGPASSWORD": password,
                },
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        return Done(done.returncode, done.stdout, done.stderr)

    def secret(self, namespace: str, name: str) -> dict[str, str]:
        data = self.read("secret", name, "-n", namespace)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def model_pods(self, model: str = "smollm2") -> list[dict[str, Any]]:
        """Pods of a model that answer and are not about to end."""
        pods = self.items("pods", "-A", "-l", f"serving.kserve.io/inferenceservice={model}")
        return [one for one in pods if holds(one, "Ready") and "deletionTimestamp" not in one["metadata"]]

    def program_of(self, namespace: str, prefix: str) -> Process:
        """The process of the one ready pod whose name starts with `prefix`."""
        pods = [
            one
            for one in self.items("pods", "-n", namespace)
            if one["metadata"]["name"].startswith(prefix)
            and holds(one, "Ready")
            and "deletionTimestamp" not in one["metadata"]
        ]
        assert len(pods) == 1, f"{len(pods)} ready pods {prefix}* in {namespace}"
        folder = self.plane.pods / pods[0]["metadata"]["uid"]
        alive = [one for one in self.processes() if f"{folder}/" in one.command_of_parent]
        assert alive, f"no process of pod {pods[0]['metadata']['name']}"
        return Process(alive[0].pid, alive[0].start)

    def processes(self) -> list["ProcessInfo"]:
        """Every process on this machine that belongs to this folder."""
        return processes_of(self.root)


@contextmanager
def gone_afterwards(platform: Platform) -> Iterator[Platform]:
    """`platform`, of which nothing is left on the machine in the end."""
    try:
        yield platform
    finally:
        platform.corral("down", seconds=120)
        left = processes_of(platform.root)
        end([Process(one.pid, one.start) for one in left])
    assert not left, [one.command[:150] for one in left]


def checkout_with(folder: Path, stack: Mapping[str, Any]) -> Path:
    """What the engine needs of this checkout, copied into `folder`, with `stack` as stack dev."""
    checkout = folder / "checkout"
    checkout.mkdir()
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(CHECKOUT / name, checkout)
    shutil.copytree(CHECKOUT / "policy", checkout / "policy")
    write_stack(checkout, stack)
    return checkout


def write_stack(checkout: Path, stack: Mapping[str, Any]) -> None:
    """Make `stack` the stack dev of a checkout."""
    (checkout / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"corral:platform": stack}}))


@dataclass(frozen=True)
class ProcessInfo:
    """A process of this machine."""

    pid: int
    start: int
    parent: int
    command: str
    command_of_parent: str = ""


def processes_of(root: Path) -> list[ProcessInfo]:
    """Those whose arguments or environment name `root`, and their descendants; not this test itself."""
    seen = {one.pid: one for one in _all()}
    ours = {os.getpid()}
    above = os.getpid()
    while above in seen:
        above = seen[above].parent
        ours.add(above)
    named = {pid for pid in seen.keys() - ours if _names(pid, root)}
    grown = True
    while grown:
        more = {pid for pid, one in seen.items() if one.parent in named} - named - ours
        named |= more
        grown = bool(more)
    return [
        ProcessInfo(
            one.pid,
            one.start,
            one.parent,
            one.command,
            seen[one.parent].command if one.parent in seen else "",
        )
        for one in (seen[pid] for pid in sorted(named))
    ]


def _all() -> Iterator[ProcessInfo]:
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            stat = (entry / "stat").read_text()
            fields = stat[stat.rindex(")") + 2 :].split()
            if fields[0] not in "ZX":
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                yield ProcessInfo(int(entry.name), int(fields[19]), int(fields[1]), command)


def _names(pid: int, root: Path) -> bool:
    with contextlib.suppress(OSError):
        text = (PROC / str(pid) / "cmdline").read_bytes() + (PROC / str(pid) / "environ").read_bytes()
        return os.fsencode(root) in text
    return False


def listening(pids: set[int]) -> dict[int, set[tuple[str, str, int]]]:
    """By pid: (table, address as the kernel writes it, port) of every socket on which it accepts."""
    owners: dict[str, int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for link in (PROC / str(pid) / "fd").iterdir():
                with contextlib.suppress(OSError):
                    target = str(link.readlink())
                    if target.startswith("socket:["):
                        owners[target[8:-1]] = pid
    sockets: dict[int, set[tuple[str, str, int]]] = {}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in (PROC / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            accepts = fields[3] == (UNBOUND_UDP if table.startswith("udp") else LISTENS)
            if accepts and fields[9] in owners:
                address, _, port = fields[1].rpartition(":")
                sockets.setdefault(owners[fields[9]], set()).add((table, address, int(port, 16)))
    return sockets


def is_loopback(address: str) -> bool:
    """Of an address as /proc/net writes it: little-endian words in hexadecimal."""
    if len(address) == 8:
        return address.endswith("7F")
    mapped = address[:24] == "0000000000000000FFFF0000" and address.endswith("7F")
    return mapped or address == "00000000000000000000000001000000"


def wait_for(question: Callable[[], Answer], seconds: float, what: str) -> Answer:
    """The first answer that is true; fails the test when there is none within `seconds`."""
    limit = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < limit, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.3)
    return answer


def holds(item: Mapping[str, Any], condition: str) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(one["type"] == condition and one["status"] == "True" for one in conditions)


def pod(namespace: str, image: str, *arguments: str) -> dict[str, Any]:
    """A pod that nobody serves with."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "tried", "namespace": namespace},
        "spec": {"containers": [{"name": "main", "image": image, "args": list(arguments)}]},
    }


def ports_of(platform: Platform) -> set[int]:
    """Ports on 127.0.0.1 on which the control plane listens: no other plane of this machine has them."""
    record = PlaneRecord.load(platform.plane)
    sockets = listening({one.pid for one in platform.processes()}).values()
    return {record.api_port, *record.ports.values()} & {
        port
        for several in sockets
        for table, address, port in several
        if table == "tcp" and address == "0100007F"
    }


def in_use() -> set[int]:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    sockets = [line.split() for line in lines]
    return {
        int(one[1].rpartition(":")[2], 16)
        for one in sockets
        if one[3] == "0A" and one[1].startswith("0100007F")
    }
