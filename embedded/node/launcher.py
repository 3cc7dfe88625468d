"""From a container and its row to a running process."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from corral.embedded.home import private_directory
from corral.embedded.kube import Object
from corral.embedded.node import mounts as mounting
from corral.embedded.node.attempts import Attempt, start
from corral.embedded.node.containers import ContainerRun
from corral.embedded.node.endpoints import addresses as in_addresses
from corral.embedded.node.environment import environment, expand
from corral.embedded.node.pod_files import PodFiles, own
from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.sources import Missing
from corral.embedded.objects import at, children

SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENTER = Path(__file__).with_name("enter.py")


@dataclass(frozen=True)
class Address:
    """Where a pod is."""

    pod_ip: str
    bind: str

    @property
    def fields(self) -> Mapping[str, str]:
        """The downward API's fields that the node knows; processes are told where they really listen."""
        return {
            "status.podIP": self.bind,
            "status.podIPs": self.bind,
            "status.hostIP": "127.0.0.1",
            "status.hostIPs": "127.0.0.1",
        }


@dataclass(frozen=True)
class Prepared:
    """One container, ready to start."""

    launch: Launch
    env: Mapping[str, str]
    mounts: Sequence[mounting.Mount]
    scratch: Path
    owner: mounting.Owner


def devices(pod: Object, container: Object, files: PodFiles) -> list[str]:
    """Names of the devices that the pod's ResourceClaims got, for this container.

    Raises:
        Missing: a claim is not allocated yet.
    """
    used = {c["name"] for c in children(container, "resources", "claims")}
    statuses = children(pod, "status", "resourceClaimStatuses")
    generated = {entry["name"]: entry.get("resourceClaimName") for entry in statuses}
    names: list[str] = []
    for claim in children(pod, "spec", "resourceClaims"):
        if claim["name"] not in used:
            continue
        name = str(claim.get("resourceClaimName") or generated.get(claim["name"]) or "")
        resource_claim = files.settings.sources.resource_claims.get((pod["metadata"]["namespace"], name))
        if not at(resource_claim or {}, "status", "allocation"):
            raise Missing(f'resource claim "{claim["name"]}" is not allocated')
        results = children(resource_claim or {}, "status", "allocation", "devices", "results")
        names.extend(str(result["device"]) for result in results)
    return names


def prepare(pod: Object, run: ContainerRun, files: PodFiles, address: Address, api_port: int) -> Prepared:
    """Resolve environment, arguments and mounts, and ask the row what to start.

    Raises:
        Missing: the container has to wait.
        Refused: its row does not honour what the pod states.
    """
    program = run.program
    assert isinstance(program, ProgramSpec)
    sources, real = files.settings.sources, files.settings.real_paths
    services = sources.services
    spec, owner = run.spec, mounting.user(pod, run.spec, real)
    try:
        stated = environment(pod, spec, sources, address.fields)
    except ValueError as cause:
        raise Refused(str(cause)) from cause
    env = {name: in_addresses(value, services) for name, value in stated.items()}
    scratch = files.scratch(run.folder, owner)
    mounts = mounting.mounts(spec, files.volumes(pod), files.folders, stated)
    device_names = devices(pod, spec, files)

    def texts(key: str) -> list[str]:
        values = [expand(value, stated) for value in cast(list[str], spec.get(key) or [])]
        return values if program.serves_names else [in_addresses(value, services) for value in values]

    context = Context(
        namespace=pod["metadata"]["namespace"],
        pod=pod["metadata"]["name"],
        container=run.name,
        command=texts("command"),
        args=texts("args"),
        env=env,
        bind=address.bind,
        ports={
            str(port.get("name") or port["containerPort"]): int(port["containerPort"])
            for port in children(spec, "ports")
        },
        kubeconfig=files.identity / "kubeconfig",
        scratch=scratch,
        real_paths=real,
        mounts={mount.target: mount.source for mount in mounts},
    )
    launch = program.launch(context)
    own(scratch, owner)
    complete = {
        "PATH": SEARCHED,
        "HOME": str(scratch),
        "TMPDIR": str(files.temporary(run.folder, scratch)),
        "LANG": "C.UTF-8",
        "HOSTNAME": pod["metadata"]["name"],
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(api_port),
        "KUBERNETES_SERVICE_PORT_HTTPS": str(api_port),
        **({"CORRAL_DEVICES": ",".join(device_names)} if device_names else {}),
        **env,
        **launch.env,
    }
    return Prepared(launch, complete, mounts, scratch, owner)


async def launch(pod: Object, run: ContainerRun, prepared: Prepared, files: PodFiles, level: int) -> Attempt:
    """Start the container's next run."""
    number = run.attempt.number + 1 if run.attempt else 0
    owner, real = prepared.owner, files.settings.real_paths
    root, passwd = run.folder / "root", run.folder / "passwd"
    mounting.write_passwd(passwd, owner, prepared.scratch)
    private_directory(root)
    attempt = Attempt(run.folder, number)
    stated = str(run.spec.get("workingDir") or "") if real else ""
    await start(
        attempt,
        prepared.launch.argv,
        prepared.env,
        cwd=str(prepared.launch.cwd or stated or prepared.scratch),
        uid=owner.uid,
        gid=owner.gid,
        groups=mounting.groups(pod, owner),
        root=str(root) if real else None,
        binds=mounting.binds(
            prepared.mounts, prepared.launch.needs, prepared.scratch, files.identity, passwd, files.hosts
        ),
        hidden=[str(path) for path in files.settings.hidden],
        level=level,
        begun=time.time(),
    )
    return attempt


async def execute(attempt: Attempt | None, argv: Sequence[str], seconds: float) -> bool:
    """Run a command beside the container's process: its namespace, user and environment.

    Returns whether it exited with 0 within `seconds`; it is killed when it takes longer.
    """
    process = attempt.process if attempt else None
    if process is None or not process.alive:
        return False
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        str(ENTER),
        str(process.pid),
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        env={},
    )
    try:
        async with asyncio.timeout(seconds):
            return await child.wait() == 0
    except TimeoutError:
        return False
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
