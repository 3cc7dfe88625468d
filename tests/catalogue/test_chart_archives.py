"""`corral setup charts` against a registry and a repository on the loopback interface."""

import argparse
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.doubles.servers import Handler, listening

from corral.catalogue import chart_archives
from corral.catalogue.chart_archives import LAYER, Pulled, pull
from corral.catalogue.charts import ChartEntry
from corral.catalogue.registry import client


def packed(name: str, *more: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path in (f"{name}/Chart.yaml", f"{name}/templates/a.yaml", *more):
            text = f"name: {name}\nversion: 1.2.3\n".encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    return stream.getvalue()


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest_of(archive: bytes) -> bytes:
    return json.dumps({"layers": [{"mediaType": LAYER, "digest": digest_of(archive)}]}).encode()


class Store(Handler):
    """Answers by path; a registry's paths only to who has its anonymous token."""

    answers: dict[str, bytes] = {}
    seen: list[str] = []

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.seen.append(f"{self.command} {path}")
        token = json.dumps({"token": "anonymous"}).encode() if path == "/token" else None
        content = token or self.answers.get(path)
        anonymous = path.startswith("/v2/") and self.headers.get("Authorization") != "Bearer anonymous"
        status = 401 if anonymous else 404 if content is None else 200
        realm = f"http://{self.headers['Host']}/token"
        challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="here"'}
        sent = content if status == 200 and content is not None else b""
        self.answer(status, sent, challenge if anonymous else None)


@pytest.fixture
def store() -> Iterator[type[Store]]:
    handler = type("Here", (Store,), {"answers": {}, "seen": []})
    with listening(handler) as handler.host:
        yield handler


def entry(store: type[Store], *, oci: bool = True, **more: str) -> ChartEntry:
    source = f"oci://{store.host}/charts" if oci else f"http://{store.host}/repository"
    made = ChartEntry(name="app", version="1.2.3", source=source, namespace="here")
    return replace(made, **more)


def serve(store: type[Store], archive: bytes) -> str:
    """Offer the chart both ways; the digest of its manifest."""
    manifest = manifest_of(archive)
    for reference in ("1.2.3", digest_of(manifest)):
        store.answers[f"/v2/charts/app/manifests/{reference}"] = manifest
    store.answers[f"/v2/charts/app/blobs/{digest_of(archive)}"] = archive
    line = f"{{version: v1.2.3, digest: {hashlib.sha256(archive).hexdigest()}, urls: [files/app.tgz]}}"
    store.answers["/repository/index.yaml"] = f"entries: {{app: [{line}]}}".encode()
    store.answers["/repository/files/app.tgz"] = archive
    return digest_of(manifest)


def pulled(store: type[Store], folder: Path, *entries: ChartEntry) -> list[Pulled]:
    with client() as http:
        return list(pull(entries, folder, http, [store.host]))


def test_a_locked_chart_of_a_registry_is_asked_for_by_its_digest(store, tmp_path):
    digest = serve(store, packed("app"))
    (one,) = pulled(store, tmp_path / "charts", entry(store, digest=digest))
    assert one.digest == digest and one.locked
    assert (tmp_path / "charts" / "app" / "templates" / "a.yaml").is_file()
    assert f"GET /v2/charts/app/manifests/{digest}" in store.seen
    assert not [path for path in store.seen if path.endswith("manifests/1.2.3")]


def test_a_chart_of_a_repository_is_what_its_index_states(store, tmp_path):
    archive = packed("app")
    serve(store, archive)
    (one,) = pulled(store, tmp_path, entry(store, oci=False))
    assert one.digest == digest_of(archive) and not one.locked
    assert (tmp_path / "app" / "Chart.yaml").is_file()


def test_what_is_there_by_the_same_digest_is_not_pulled_again(store, tmp_path):
    digest = serve(store, packed("app"))
    pulled(store, tmp_path, entry(store))
    store.seen.clear()
    (same,) = pulled(store, tmp_path, entry(store, digest=digest))
    assert same.present and same.digest == digest and store.seen == []
    (other,) = pulled(store, tmp_path, entry(store, digest=f"sha256:{'b' * 64}"))
    assert not other.present and other.digest is None, "it is another chart now"


@pytest.mark.parametrize("oci", [True, False])
def test_a_chart_whose_content_has_another_digest_leaves_what_was_there(oci, store, tmp_path):
    first = packed("app")
    manifest = serve(store, first)
    locked = manifest if oci else digest_of(first)
    pulled(store, tmp_path, entry(store, oci=oci))
    (tmp_path / "pulled.json").unlink()
    archive = packed("app", "app/templates/b.yaml")
    changed = serve(store, archive)
    store.answers[f"/v2/charts/app/manifests/{locked}"] = manifest_of(archive)
    (one,) = pulled(store, tmp_path, entry(store, oci=oci, digest=locked))
    assert one.digest is None and locked in one.reason
    assert (changed if oci else digest_of(archive)) in one.reason
    assert not (tmp_path / "app" / "templates" / "b.yaml").exists()


def test_an_archive_that_is_not_the_manifests_is_refused(store, tmp_path):
    archive = packed("app")
    serve(store, archive)
    store.answers[f"/v2/charts/app/blobs/{digest_of(archive)}"] = packed("app", "app/other.yaml")
    (one,) = pulled(store, tmp_path, entry(store))
    assert one.digest is None and "expected is" in one.reason and not (tmp_path / "app").exists()


@pytest.mark.parametrize("path", ["app/../../outside", "/etc/outside", "other/Chart.yaml"])
def test_nothing_is_written_outside_of_the_charts_folder(path, store, tmp_path):
    serve(store, packed("app", path))
    (one,) = pulled(store, tmp_path / "charts", entry(store))
    assert one.digest is None and "archive" in one.reason
    assert [found.name for found in (tmp_path / "charts").iterdir()] == []
    assert not (tmp_path / "outside").exists()


def test_a_chart_that_nobody_has_is_named_with_the_reason_and_the_rest_is_pulled(store, tmp_path):
    serve(store, packed("app"))
    absent = replace(entry(store), name="none")
    first, second = pulled(store, tmp_path, absent, entry(store))
    assert (first.digest, first.reason) == (None, "not there")
    assert second.digest is not None


def test_the_command_prints_a_line_per_chart_and_fails_when_one_is_missing(
    store, tmp_path, monkeypatch, capsys
):
    from corral.catalogue import charts
    from corral.cli.supply import setup

    serve(store, packed("app"))
    mine = {"app": entry(store), "none": replace(entry(store), name="none")}
    monkeypatch.setattr(charts, "charts", lambda: mine)
    asked = {"to": str(tmp_path), "mirror": None, "insecure": [store.host]}
    assert setup(argparse.Namespace(what="charts", plan=True, **asked)) == 0
    assert store.seen == [] and len(capsys.readouterr().out.splitlines()) == 2
    assert setup(argparse.Namespace(what="charts", plan=False, **asked)) == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert ": pulled, sha256:" in first and "not locked" in first
    assert second.endswith("none:1.2.3: not pulled: not there")
    assert last == f"1 of 2 charts in {tmp_path}"
    assert chart_archives.RECORD in [path.name for path in tmp_path.iterdir()]
