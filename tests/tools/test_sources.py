"""Sources of model files: what they list, and what they bring."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.doubles.servers import Handler, listening

from corral.catalogue.vocabulary import SourceScheme
from corral.tools.__main__ import main
from corral.tools.failure import ToolFailure
from corral.tools.locking import locked
from corral.tools.sources import SCHEMES, fetched, source_of
from corral.tools.store import client

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = b"GGUF" + bytes(range(256)) * 32
CONFIG = b'{"architectures": ["LlamaForCausalLM"]}'
README = b"# A model\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


FILES = {"model.gguf": WEIGHTS, "config.json": CONFIG, "README.md": README}
LOCKED = {name: (len(content), sha256(content)) for name, content in FILES.items() if name != "README.md"}


def quiet(_line: str) -> None:
    pass


def summary(uri: str, store: object = None) -> dict[str, tuple[int, str | None]]:
    return {file.name: (file.size, file.sha256) for file in locked(source_of(uri), quiet).files}


class Server(Handler):
    """A hub and a registry as their APIs describe them."""

    seen: list[tuple[str, str | None]] = []
    token: str | None = None
    login: str | None = None

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.seen.append((path, self.headers.get("Authorization")))
        if self.login is not None and self.headers.get("Authorization") != self.login:
            self.answer(401, headers={"WWW-Authenticate": 'Basic realm="registry"'})
        elif self.token is not None and self.headers.get("Authorization") != f"Bearer {self.token}":
            self.answer(401)
        else:
            self.answer(*self.content(path))

    def content(self, path: str) -> tuple[int, bytes]:
        if path in (f"/api/models/org/tiny/revision/{one}" for one in ("main", COMMIT)):
            return 200, json.dumps(
                {"sha": COMMIT, "siblings": [self._sibling(name) for name in FILES]}
            ).encode()
        for revision in ("main", COMMIT):
            name = path.removeprefix(f"/org/tiny/resolve/{revision}/")
            if name in FILES:
                return 200, FILES[name]
        if path == "/v2/models/tiny/manifests/1.0":
            layers = [
                {
                    "mediaType": "application/octet-stream",
                    "digest": f"sha256:{sha256(content)}",
                    "size": len(content),
                    "annotations": {"org.opencontainers.image.title": name},
                }
                for name, content in FILES.items()
            ]
            return 200, json.dumps({"schemaVersion": 2, "layers": layers}).encode()
        if path == "/v2/models/packed/manifests/1.0":
            layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "x", "size": 1}
            return 200, json.dumps({"layers": [layer]}).encode()
        for content in FILES.values():
            if path == f"/v2/models/tiny/blobs/sha256:{sha256(content)}":
                return 200, content
        return 404, b""

    def _sibling(self, name: str) -> dict[str, object]:
        content = FILES[name]
        entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
        if name == "model.gguf":
            entry["lfs"] = {"sha256": sha256(content), "size": len(content), "pointerSize": 135}
        return entry


@pytest.fixture
def server() -> Iterator[type[Server]]:
    handler = type("Here", (Server,), {"seen": []})
    with listening(handler) as handler.address:
        yield handler


@pytest.fixture
def hub(server, monkeypatch) -> type[Server]:
    monkeypatch.setenv("HF_ENDPOINT", f"http://{server.address}")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return server


@pytest.fixture
def registry(server, monkeypatch) -> str:
    monkeypatch.setenv("CORRAL_INSECURE_REGISTRIES", server.address)
    return server.address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    place.mkdir()
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    return place


def test_a_hub_is_locked_to_a_commit_and_large_files_are_not_downloaded_for_it(hub):
    listing = locked(source_of("hf://org/tiny"), quiet)
    assert listing.revision == COMMIT
    assert {file.name: (file.size, file.sha256) for file in listing.files} == LOCKED
    assert "/org/tiny/resolve/main/model.gguf" not in [path for path, _ in hub.seen]


def test_a_model_is_imported_from_a_hub_at_its_commit(hub, store, bucket):
    sums = [word for name, (_, digest) in LOCKED.items() for word in ("--sha256", f"{name}={digest}")]
    order = ["import", "--source", f"hf://org/tiny@{COMMIT}", "--to", f"s3://{bucket}/tiny"]
    assert main([*order, "--license", "MIT", *sums]) == 0
    assert store.get_object(Bucket=bucket, Key="tiny/model.gguf")["Body"].read() == WEIGHTS


def test_a_gated_repository_is_read_with_a_token_and_refused_without(hub, monkeypatch):
    hub.token = "canary-hub-token"
    with pytest.raises(ToolFailure, match="hf://org/tiny@main: wants a token") as refused:
        source_of("hf://org/tiny").listing()
    assert "canary" not in str(refused.value)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert summary("hf://org/tiny") == LOCKED


def test_a_repository_that_is_not_there_is_one_line(hub):
    with pytest.raises(ToolFailure, match=r"^hf://org/none@main: not there$"):
        source_of("hf://org/none").listing()


def test_an_artifact_of_a_registry_is_locked_without_reading_its_layers(registry, server):
    assert summary(f"oci://{registry}/models/tiny:1.0") == LOCKED
    assert [path for path, _ in server.seen if "/manifests/" in path]
    assert not [path for path, _ in server.seen if "/blobs/" in path]


def test_a_model_is_imported_from_an_artifact(registry, store, bucket):
    name, (_, digest) = next(iter(LOCKED.items()))
    order = ["import", "--source", f"oci://{registry}/models/tiny:1.0", "--to", f"s3://{bucket}/tiny"]
    assert main([*order, "--license", "MIT", "--sha256", f"{name}={digest}"]) == 0
    assert store.get_object(Bucket=bucket, Key=f"tiny/{name}")["Body"].read() == FILES[name]


def test_a_registry_that_wants_a_login_is_given_it_and_says_what_is_missing_without(
    registry, server, monkeypatch
):
    server.login = "Basic " + base64.b64encode(b"reader:canary-registry").decode()
    with pytest.raises(ToolFailure, match="wants credentials") as refused:
        source_of(f"oci://{registry}/models/tiny:1.0").listing()
    assert "canary" not in str(refused.value)
    monkeypatch.setenv("OCI_USERNAME", "reader")
    monkeypatch.setenv("OCI_PASSWORD", "canary-registry")
    assert summary(f"oci://{registry}/models/tiny:1.0") == LOCKED


def test_an_artifact_of_archives_says_how_to_push_files(registry):
    with pytest.raises(ToolFailure, match="its layers are archives"):
        source_of(f"oci://{registry}/models/packed:1.0").listing()


def test_a_folder_is_locked_with_its_subfolders_and_without_documents(folder):
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"x")
    assert summary(f"file://{folder}") == {**LOCKED, "onnx/model.onnx": (1, sha256(b"x"))}


def test_a_git_lfs_pointer_in_a_bucket_is_no_model_file(store, bucket):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    store.put_object(Bucket=bucket, Key="m/model.safetensors", Body=pointer)
    with pytest.raises(ToolFailure, match=r"model\.safetensors is a Git LFS pointer"):
        summary(f"s3://{bucket}/m", store)


def test_a_bucket_s_own_checksums_are_taken_and_the_rest_is_read_once(store, bucket):
    store.put_object(
        Bucket=bucket,
        Key="m/model.gguf",
        Body=WEIGHTS,
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=base64.b64encode(hashlib.sha256(WEIGHTS).digest()).decode(),
    )
    store.put_object(Bucket=bucket, Key="m/config.json", Body=CONFIG)
    lines: list[str] = []
    listing = locked(source_of(f"s3://{bucket}/m"), lines.append)
    assert {file.name: (file.size, file.sha256) for file in listing.files} == LOCKED
    assert [line for line in lines if "config.json" in line]


def test_an_object_that_is_the_one_known_is_not_read_again_and_one_of_the_same_size_is(store, bucket):
    store.put_object(Bucket=bucket, Key="m/model.gguf", Body=b"GGUF 1")
    source, first, second, third = source_of(f"s3://{bucket}/m"), list[str](), list[str](), list[str]()
    known = locked(source, first.append)
    again = locked(source, second.append, known.files)
    store.put_object(Bucket=bucket, Key="m/model.gguf", Body=b"GGUF 2")
    changed = locked(source, third.append, known.files)
    assert again == known and known.files[0].sha256 == hashlib.sha256(b"GGUF 1").hexdigest()
    assert changed.files[0].sha256 == hashlib.sha256(b"GGUF 2").hexdigest()
    assert (len(first), len(second), len(third)) == (1, 0, 1)


def test_objects_whose_names_only_begin_alike_are_no_files_of_the_model(store, bucket):
    store.put_object(Bucket=bucket, Key="m/model.gguf", Body=WEIGHTS)
    store.put_object(Bucket=bucket, Key="m2/other.gguf", Body=b"x")
    assert set(summary(f"s3://{bucket}/m", store)) == {"model.gguf"}


def test_a_source_store_of_its_own_is_read_with_its_own_key_and_never_with_the_platform_s(
    store, bucket, moto_endpoint, monkeypatch
):
    store.put_object(Bucket=bucket, Key="m/model.gguf", Body=WEIGHTS)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("SOURCE_AWS_ENDPOINT_URL_S3", moto_endpoint)
    monkeypatch.setenv("SOURCE_AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("SOURCE_AWS_SECRET_ACCESS_KEY", "canary-of-the-source")
    monkeypatch.setenv("SOURCE_AWS_REGION", "eu-central-1")
    assert set(summary(f"s3://{bucket}/m", None)) == {"model.gguf"}
    assert set(summary(f"gs://{bucket}/m", None)) == {"model.gguf"}


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("", "https://s3.us-east-1.amazonaws.com"),
        ("eu-central-1", "https://s3.eu-central-1.amazonaws.com"),
        ("eusc-de-east-1", "https://s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_a_source_in_s3_without_an_endpoint_is_in_the_partition_of_its_region(region, endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("SOURCE_AWS_REGION", region)
    assert client(prefix="SOURCE_").meta.endpoint_url == endpoint


def test_a_file_name_of_a_source_cannot_leave_the_scratch_folder(registry, tmp_path):
    with pytest.raises(ToolFailure, match="relative path"):
        fetched(source_of("hf://org/tiny"), "../../etc/passwd", tmp_path, quiet)


@pytest.mark.parametrize(
    "uri",
    ["hf://tiny", "hf://org/tiny/extra/path", "oci://registry.example/path", "file://relative", "s3://", "x"],
)
def test_a_malformed_source_is_one_line_that_names_it(uri):
    with pytest.raises(ToolFailure) as refused:
        source_of(uri)
    assert "\n" not in str(refused.value) and uri.partition("://")[2] in str(refused.value)


def test_every_scheme_is_named_in_the_refusal_of_another():
    with pytest.raises(ToolFailure) as refused:
        source_of("ftp://example/x")
    assert all(f"{scheme}://" in str(refused.value) for scheme in SCHEMES)


def test_the_importer_knows_exactly_the_schemes_that_a_stack_file_may_name():
    assert set(SCHEMES) == {scheme.value for scheme in SourceScheme}
