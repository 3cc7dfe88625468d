"""The programs themselves, started as their rows say, on addresses of their own."""

import datetime
import hashlib
import io
import json
import os
import secrets
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.doubles.cloud_storage import cloud_storage
from tests.doubles.s3 import s3_client
from tests.programs.launched import REAL, answers, launch

from corral.embedded.node.programs import installed
from corral.tools.__main__ import main

pytestmark = pytest.mark.engine
POSTGRES_USER = 999


def s3(address: str, key: str, secret: str, tries: int = 3):
    retries = {"mode": "standard", "total_max_attempts": tries}
    return s3_client(f"http://{address}:8333", key, secret, "us-east-1", **retries)


@pytest.fixture
def store(container, start, tmp_path: Path):
    settings, data = tmp_path / "settings", tmp_path / "data"
    settings.mkdir()
    data.mkdir()
    keys = "\n".join(
        f'[{section}]\nkey = "{secrets.token_hex(32)}"'
        for section in ("jwt.signing", "jwt.filer_signing", "jwt.filer_signing.read")
    )
    (settings / "security.toml").write_text(f'{keys}\n[s3.sse]\nkek = "{secrets.token_hex(32)}"\n')
    admin = {
        "name": "admin",
        "credentials": [{"accessKey": "admin", "secretKey": "s"}],
        "actions": ["Admin"],
    }
    reader = {
        "name": "reader",
        "credentials": [{"accessKey": "reader", "secretKey": "r"}],
        "actions": ["Read:models", "List:models"],
    }
    (settings / "s3.json").write_text(json.dumps({"identities": [admin, reader]}))

    def begin(address: str):
        context = container(
            "server", "-dir=/data", "-ip.bind=0.0.0.0", "-filer", "-s3", "-s3.port=8333",
            "-s3.config=/etc/seaweedfs/s3.json", "-s3.port.iceberg=0", "-s3.port.lance=0",
            "-master.telemetry=false", "-master.electionTimeout=1s", "-volume.preStopSeconds=0",
            bind=address, real_paths=REAL, mounts={"/data": data, "/etc/seaweedfs": settings},
        )  # fmt: skip
        weed = start(launch("chrislusf/seaweedfs:4.48", context), context)
        weed.until(lambda: answers(f"http://{address}:8333/healthz"))
        return weed

    return begin


def test_the_object_store_keeps_versions_encrypts_and_refuses_strangers(store, tmp_path: Path):
    address = "127.97.201.3"
    weed = store(address)
    client = s3(address, "admin", "s")
    client.create_bucket(Bucket="models")
    client.put_bucket_versioning(Bucket="models", VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    client.put_bucket_encryption(Bucket="models", ServerSideEncryptionConfiguration={"Rules": [rule]})
    known = b"plain-text-canary" * 100_000
    for _ in range(2):
        put = client.put_object(Bucket="models", Key="a", Body=known, ChecksumAlgorithm="SHA256")
        assert put["ServerSideEncryption"] == "AES256"
    client.upload_fileobj(io.BytesIO(known * 20), "models", "large")
    assert len(client.list_object_versions(Bucket="models", Prefix="a")["Versions"]) == 2
    on_disk = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"plain-text-canary" not in on_disk
    with httpx.Client(trust_env=False) as other:
        assert other.get(f"http://{address}:8333/models/a").status_code == 403
        assert other.put(f"http://{address}:8333/models/b", content=b"x").status_code == 403
        assert other.get(f"http://{address}:8888/buckets/models/a").status_code == 401
    reader = s3(address, "reader", "r")
    assert reader.get_object(Bucket="models", Key="large")["Body"].read() == known * 20
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.put_object(Bucket="models", Key="c", Body=b"x")
    local = (
        set() if REAL else {"127.0.0.1"}
    )  # it listens on localhost too, which is the pod's own with mounts
    assert {listener for listener, _port in weed.listeners()} == {address} | local


def test_the_object_store_finds_its_objects_again_on_another_address_after_a_crash(store):
    weed = store("127.97.201.4")
    s3("127.97.201.4", "admin", "s").create_bucket(Bucket="models")
    s3("127.97.201.4", "admin", "s").put_object(Bucket="models", Key="a", Body=b"kept")
    weed.kill()
    again, client = store("127.97.201.5"), s3("127.97.201.5", "reader", "r", tries=1)

    def response() -> bool:
        try:
            return client.get_object(Bucket="models", Key="a")["Body"].read() == b"kept"
        except ClientError:
            return False  # Until its volumes have reported again the store answers InternalError.

    again.until(response)


def test_the_storage_initializer_fetches_a_model_from_the_object_store(
    container, start, store, tmp_path: Path
):
    address = "127.97.201.6"
    store(address)
    s3(address, "admin", "s").create_bucket(Bucket="models")
    s3(address, "admin", "s").put_object(Bucket="models", Key="tiny/weights.gguf", Body=b"weights")
    target = tmp_path / "fetched"
    target.mkdir()
    context = container(
        "s3://models/tiny", "/mnt/models", container="storage-initializer",
        real_paths=REAL, mounts={"/mnt/models": target},
        env={
            "AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "r", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{address}:8333", "S3_USE_HTTPS": "0",
        },
    )  # fmt: skip
    fetching = start(launch("kserve/storage-initializer:v0.20.0", context), context)
    assert fetching.wait(60) == 0, fetching.log.read_text()
    assert (target / "weights.gguf").read_bytes() == b"weights"


def test_the_storage_initializer_reads_cloud_storage_as_our_tools_wrote_it(
    container, start, tmp_path: Path, monkeypatch
):
    with cloud_storage() as cloud:
        cloud.buckets["models"] = {}
        # Google's own client names nobody to an emulator.
        cloud.tokens[""] = "allUsers"
        found = {
            "STORAGE_EMULATOR_HOST": f"http://{cloud.address}",
            "GCE_METADATA_HOST": cloud.metadata_address,
        }
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        weights = tmp_path / "weights.gguf"
        weights.write_bytes(b"weights")
        digest = hashlib.sha256(b"weights").hexdigest()
        order = ["import", "--source", f"file://{weights}", "--sha256", f"weights.gguf={digest}"]
        assert main([*order, "--to", "gs://models/tiny", "--license", "MIT"]) == 0
        target = tmp_path / "fetched"
        target.mkdir()
        context = container(
            "gs://models/tiny", "/mnt/models", container="storage-initializer",
            real_paths=REAL, mounts={"/mnt/models": target},
            env={**found, "GOOGLE_CLOUD_PROJECT": "acme-models"},
        )  # fmt: skip
        fetching = start(launch("kserve/storage-initializer:v0.20.0", context), context)
        assert fetching.wait(60) == 0, fetching.log.read_text()
        assert (target / "weights.gguf").read_bytes() == b"weights"
        assert (target / "manifest.json").exists()


def certificate(folder: Path, address: str) -> None:
    """A self-signed certificate, its key readable by the group as a mounted Secret's is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vector-db")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    folder.mkdir()
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "tls.key").write_bytes(private)
    (folder / "tls.key").chmod(0o644)


def query(address: str, password: str, statement: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [installed.postgres() / "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement],
        env={
            "PGHOST": address, "PGUSER": "corral", "PGDATABASE": "vectors", "PGPASSWORD": password,
            "PGSSLMODE": "require",
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


@pytest.fixture
def database(container, start, tmp_path: Path):
    address, scripts, data = "127.97.201.7", tmp_path / "scripts", tmp_path / "database"
    certificate(tmp_path / "certs", address)
    scripts.mkdir()
    data.mkdir()
    (scripts / "10-vector.sql").write_text("create extension vector;")
    encrypted = (
        "-c", "ssl=on", "-c", "ssl_cert_file=/certs/tls.crt", "-c", "ssl_key_file=/certs/tls.key",
        "-c", "ssl_min_protocol_version=TLSv1.3",
    )  # fmt: skip
    context = container(
        *encrypted, "-c", "shared_buffers=32MB",
        container="postgres", bind=address, real_paths=REAL,
        mounts={
            "/certs": tmp_path / "certs", "/var/lib/postgresql/data": data,
            "/docker-entrypoint-initdb.d": scripts,
        },
        env={
            "POSTGRES_USER": "corral", "POSTGRES_DB": "vectors", "POSTGRES_PASSWORD": "s3cret",
            "PGDATA": "/var/lib/postgresql/data/pgdata",
        },
    )  # fmt: skip

    def begin():
        process = start(launch("docker.io/pgvector/pgvector:0.8.6-pg18", context), context, POSTGRES_USER)
        process.until(lambda: query(address, "s3cret", "select 1").returncode == 0)
        return process

    begin.context = context
    return begin


def test_the_database_finds_neighbours_and_keeps_them(database):
    address = database.context.bind
    server = database()
    assert server.listeners() == {(address, 5432)}
    made = query(
        address,
        "s3cret",
        "create table t (v vector(2)); insert into t values ('[1,0]'), ('[0,1]');"
        "create index on t using hnsw (v vector_l2_ops)",
    )
    assert made.returncode == 0, made.stderr
    nearest = "select v from t order by v <-> '[1,0.1]' limit 1"
    assert query(address, "s3cret", nearest).stdout.strip() == "[1,0]"
    assert "password authentication failed" in query(address, "wrong", "select 1").stderr
    with socket.create_connection((address, 5432)) as idle:  # a client that stays does not hold it up
        idle.sendall(b"\0")
        assert server.stop(20) == 0
    database()
    assert query(address, "s3cret", nearest).stdout.strip() == "[1,0]"


def test_a_database_is_made_anew_after_a_failed_start(database, start, tmp_path: Path):
    broken = tmp_path / "scripts" / "20-broken.sql"
    broken.write_text("select no_such_function()")
    image = "docker.io/pgvector/pgvector:0.8.6-pg18"
    first = start(launch(image, database.context), database.context, POSTGRES_USER)
    assert first.wait(60) != 0
    assert "no_such_function" in first.log.read_text()
    broken.unlink()
    database()
    response = query(
        database.context.bind, "s3cret", "select extname from pg_extension where extname = 'vector'"
    )
    assert response.stdout.strip() == "vector"


def command(pid: int) -> bytes:
    """The program of a process; nothing for one that has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_the_password_is_not_in_the_environment_of_the_server(database):
    server = database()
    (served,) = (pid for pid in server.family() if command(pid).endswith(b"/postgres"))
    assert b"s3cret" not in Path(f"/proc/{served}/environ").read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be refused")
def test_the_database_says_that_it_does_not_run_as_root(database, start):
    process = start(launch("pgvector/pgvector", database.context), database.context, 0)
    assert process.wait(20) != 0
    assert "runAsUser" in process.log.read_text()


def test_tls_of_the_database_is_what_its_settings_ask_for(database):
    database()
    version = "select version from pg_stat_ssl where pid = pg_backend_pid()"
    assert query(database.context.bind, "s3cret", version).stdout.strip() == "TLSv1.3"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((database.context.bind, 5432)) as plain:
        plain.sendall(bytes.fromhex("0000000804d2162f"))
        assert plain.recv(1) == b"S"
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(plain)
