"""The pod of the vector database with the real PostgreSQL: what its Secrets hold is in force."""

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from tests.programs.launched import REAL, accepts, launch
from tests.programs.test_programs_run import certificate

from corral.components.vector_db.pgvector import pod
from corral.embedded.node.programs import installed

pytestmark = pytest.mark.engine
POSTGRES = 999
MIB = 256


class Database:
    """Containers of the pod as processes, over folders that stand for its volumes."""

    def __init__(self, container: Callable, start: Callable, tmp_path: Path, address: str) -> None:
        self._container, self._start, self.address = container, start, address
        spec = pod.pod(memory_mib=MIB, supply={})
        self.stated = {one["name"]: one for one in spec["containers"]}
        self.volumes = {one["name"]: tmp_path / one["name"] for one in spec["volumes"]}
        for folder in self.volumes.values():
            folder.mkdir()
        for name, file in (("config", "pg_hba.conf"), ("first-start", "vector.sql"), ("sync", "sync.sh")):
            (self.volumes[name] / file).write_text(pod.configuration()[file])
        self.password("first")
        self.renew()

    def password(self, text: str) -> None:
        (self.volumes["credential"] / "password").write_text(text)

    def renew(self) -> bytes:
        """Another certificate in the Secret; it as DER."""
        made = self.volumes["tls"].with_name(f"tls-{time.monotonic_ns()}")
        certificate(made, self.address)
        for path in made.iterdir():
            if REAL:
                os.chown(path, POSTGRES, POSTGRES)
            path.replace(self.volumes["tls"] / path.name)
        pem = (self.volumes["tls"] / "tls.crt").read_bytes()
        return ssl.PEM_cert_to_DER_cert(pem.decode())

    def run(self, name: str):
        stated = self.stated[name]
        context = self._container(
            *stated.get("args", []),
            command=stated.get("command", []),
            container=name,
            bind=self.address,
            real_paths=REAL,
            env={one["name"]: one["value"] for one in stated["env"]},
            mounts={one["mount_path"]: self.volumes[one["name"]] for one in stated["volume_mounts"]},
        )
        return self._start(launch(stated["image"], context), context, POSTGRES)

    def query(self, password: str, statement: str = "select 1") -> subprocess.CompletedProcess:
        return subprocess.run(
            [installed.postgres() / "psql", "--no-psqlrc", "--tuples-only", "--no-align", "-c", statement],
            env={
                "PGHOST": self.address, "PGUSER": "vectors", "PGDATABASE": "vectors", "PGPASSWORD": password,
                "PGSSLMODE": "require",
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def takes(self, password: str) -> bool:
        return self.query(password).returncode == 0

    def served(self) -> bytes:
        """The certificate that clients get, as DER."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((self.address, 5432)) as plain:
            plain.sendall(bytes.fromhex("0000000804d2162f"))
            assert plain.recv(1) == b"S"
            with context.wrap_socket(plain) as encrypted:
                return encrypted.getpeercert(binary_form=True) or b""

    @property
    def applied(self) -> Path:
        return self.volumes["sync-scratch"] / "applied"


@pytest.fixture
def database(container, start, tmp_path: Path) -> Database:
    return Database(container, start, tmp_path, "127.97.201.21")


def test_a_changed_password_is_in_force_once_the_pod_is_ready(database):
    server, sync = database.run("postgres"), database.run("sync")
    sync.until(lambda: accepts(database.address, 5432) and database.takes("first"))
    sync.until(database.applied.exists)
    server.stop()
    assert sync.stop(5) == 0, "a pod that ends waits for nobody"
    database.applied.unlink()

    database.password("sec'ond \\ $(id)")
    server, sync = database.run("postgres"), database.run("sync")
    sync.until(database.applied.exists)
    assert database.takes("sec'ond \\ $(id)")
    assert "password authentication failed" in database.query("first").stderr
    assert "sec'ond" not in server.log.read_text() + sync.log.read_text()


def test_a_renewed_certificate_is_served_and_connections_stay(database):
    server, sync = database.run("postgres"), database.run("sync")
    sync.until(lambda: database.applied.exists() and database.takes("first"))
    before = database.served()
    with socket.create_connection((database.address, 5432)) as idle:
        renewed = database.renew()
        assert renewed != before
        server.until(lambda: database.served() == renewed, 30)
        idle.sendall(bytes.fromhex("0000000804d2162f"))
        assert idle.recv(1) == b"S", "the server was not restarted"
    serial = x509.load_der_x509_certificate(database.served()).serial_number
    assert serial == x509.load_der_x509_certificate(renewed).serial_number


def test_an_index_is_built_in_parallel_at_the_settings_of_the_pod(database):
    database.run("postgres")
    sync = database.run("sync")
    sync.until(lambda: database.applied.exists() and database.takes("first"))
    made = database.query(
        "first",
        "create table t (v vector(64)); insert into t select array(select random() from"
        " generate_series(1, 64) where n > 0)::vector from generate_series(1, 20000) n;"
        "alter table t set (parallel_workers = 2);"
        "set min_parallel_table_scan_size = 0; create index on t using hnsw (v vector_l2_ops)",
    )
    assert made.returncode == 0, made.stderr
    assert database.query("first", "show maintenance_work_mem").stdout.strip() == f"{MIB // 8}MB"
