"""The real store of models on loopback, configured by the component's own files."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from corral.components.model_storage.seaweedfs import ARGUMENTS, config_files
from corral.embedded.toolchain import tool

BUCKET, ADMIN = "models", ("admin", "admin-secret")
KEK = "ab" * 32
PORT_FLAGS = ("master.port", "volume.port", "filer.port", "s3.port")
READY_SECONDS = 60


@dataclass(frozen=True)
class RealStore:
    """A SeaweedFS that runs."""

    endpoint: str
    """URL of its S3 API, which `ADMIN` opens."""
    data: Path
    filer: str
    """URL of its filer."""


def free_ports(address: str, count: int) -> list[int]:
    """Ports that are free together with their gRPC companions, 10000 above."""
    found: list[int] = []
    for port in range(21000, 29000, 13):
        with socket.socket() as plain, socket.socket() as companion:
            try:
                plain.bind((address, port))
                companion.bind((address, port + 10000))
            except OSError:
                continue
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")


@contextmanager
def running(folder: Path) -> Iterator[RealStore]:
    """A store with its files in `folder`, encrypted as the platform's is."""
    data, address = folder / "data", "127.0.0.1"
    data.mkdir()
    for name, text in config_files(BUCKET, *ADMIN, KEK).items():
        (folder / name).write_text(text)
    ports = free_ports(address, len(PORT_FLAGS))
    replaced = {"-dir": str(data), "-s3.config": str(folder / "s3.json"), "-ip.bind": address}
    replaced |= {f"-{flag}": str(port) for flag, port in zip(PORT_FLAGS, ports, strict=True)}
    given = [word for word in ARGUMENTS if word.partition("=")[0] not in {*replaced, "-metricsPort"}]
    command = [str(tool("weed")), f"-logdir={folder}", *given, f"-ip={address}"]
    command += [f"{flag}={value}" for flag, value in replaced.items()]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    endpoint = f"http://{address}:{ports[-1]}"
    try:
        with httpx.Client(trust_env=False) as probe:
            deadline = time.monotonic() + READY_SECONDS
            while not _healthy(probe, endpoint):
                assert process.poll() is None, (folder / "output").read_text()[-2000:]
                assert time.monotonic() < deadline, "the store does not answer"
                time.sleep(0.2)
        yield RealStore(endpoint, data, f"http://{address}:{ports[2]}")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _healthy(probe: httpx.Client, endpoint: str) -> bool:
    try:
        return probe.get(f"{endpoint}/healthz").status_code == 200
    except httpx.TransportError:
        return False
