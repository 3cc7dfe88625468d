"""The bucket and the importer against the real store, configured by the component's own files."""

import hashlib
import signal
import socket
import subprocess
import time

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.doubles.s3 import s3_client

from corral.components.model_storage.seaweedfs import ARGUMENTS, READER, WRITER, config_files, derived
from corral.embedded.toolchain import tool
from corral.tools.__main__ import main

pytestmark = pytest.mark.engine

KEK = "ab" * 32
PLAIN = b"GGUF: not a word of this may be read from the disk. " * 4096
PORT_FLAGS = ("master.port", "volume.port", "filer.port", "s3.port")


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


@pytest.fixture(scope="module")
def real_store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weed")
    data, address = folder / "data", "127.0.0.1"
    data.mkdir()
    for name, text in config_files("models", "admin", "admin-secret", KEK).items():
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
            deadline = time.monotonic() + 60
            while not _healthy(probe, endpoint):
                assert process.poll() is None, (folder / "output").read_text()[-2000:]
                assert time.monotonic() < deadline, "the store does not answer"
                time.sleep(0.2)
        yield endpoint, data, f"http://{address}:{ports[2]}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _healthy(probe: httpx.Client, endpoint: str) -> bool:
    try:
        return probe.get(f"{endpoint}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def caller(endpoint: str, key: str, secret: str):
    return s3_client(endpoint, key, secret, "embedded", max_attempts=1)


def as_identity(monkeypatch, endpoint: str, key: str, secret: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    monkeypatch.setenv("AWS_REGION", "embedded")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "embedded")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_model_imported_by_the_writer_is_readable_by_the_reader_and_by_nobody_from_the_disk(
    real_store, monkeypatch, tmp_path
):
    endpoint, data, _ = real_store
    as_identity(monkeypatch, endpoint, "admin", "admin-secret")
    assert main(["bucket", "ensure", "--name", "models"]) == 0
    (tmp_path / "m.gguf").write_bytes(PLAIN)
    digest = hashlib.sha256(PLAIN).hexdigest()
    as_identity(monkeypatch, endpoint, WRITER, derived("admin-secret", WRITER))
    order = ["import", "--source", f"file://{tmp_path}", "--sha256", f"m.gguf={digest}"]
    order += ["--to", "s3://models/m", "--license", "Apache-2.0"]
    assert main(order) == 0
    assert main(order) == 0, "the writer may look at what it wrote"

    reader = caller(endpoint, READER, derived("admin-secret", READER))
    assert reader.get_object(Bucket="models", Key="m/m.gguf")["Body"].read() == PLAIN
    for attempt in (
        lambda: reader.put_object(Bucket="models", Key="m/m.gguf", Body=b"poisoned"),
        lambda: reader.delete_object(Bucket="models", Key="m/m.gguf"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()

    files = [path for path in data.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > len(PLAIN), "the object must lie here somewhere"
    assert [path for path in files if PLAIN[:40] in path.read_bytes()] == []


def test_the_writer_may_not_change_the_bucket_s_settings(real_store):
    endpoint = real_store[0]
    writer = caller(endpoint, WRITER, derived("admin-secret", WRITER))
    with pytest.raises(ClientError, match="AccessDenied"):
        writer.put_bucket_versioning(Bucket="models", VersioningConfiguration={"Status": "Suspended"})


def test_the_filer_tells_strangers_nothing(real_store):
    filer = real_store[2]
    with httpx.Client(trust_env=False) as stranger:
        answer = stranger.get(f"{filer}/buckets/models/m/m.gguf")
    assert answer.status_code == 401, "the filer holds every object, unencrypted for whoever may ask it"
