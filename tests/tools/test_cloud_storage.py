"""Imports into Cloud Storage by the pod's own identity: cuts, throttling, wrong content, two at a time."""

import hashlib
import json
import threading

import pytest
from tests.doubles.cloud_storage import READ, WRITE, Fault, cloud_storage

from corral.tools import cloud_upload
from corral.tools.__main__ import main
from corral.tools.locking import locked
from corral.tools.sources import source_of, transfer

UNIT = 256 << 10
WEIGHTS = b"GGUF" + hashlib.sha256(b"weights").digest() * 65_000
"""Some MiB, and no multiple of what an upload takes."""
SMALL = b'{"model_type": "tiny"}'
BUCKET = "models"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def cloud(monkeypatch):
    """Cloud Storage as a pod on GKE finds it, with buckets `models` and `intake`, and no key."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("SOURCE_AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setattr(transfer, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(cloud_upload, "PIECE", 2 * UNIT)
    with cloud_storage() as made:
        made.buckets |= {BUCKET: {}, "intake": {}}
        made.put("intake", "tiny/model.gguf", WEIGHTS)
        made.put("intake", "tiny/config.json", SMALL)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{made.address}")
        monkeypatch.setenv("GCE_METADATA_HOST", made.metadata_address)
        yield made


def order(weights: str = sha256(WEIGHTS)) -> list[str]:
    sums = ["--sha256", f"model.gguf={weights}", "--sha256", f"config.json={sha256(SMALL)}"]
    return [
        "import",
        "--source",
        "gs://intake/tiny",
        *sums,
        "--to",
        f"gs://{BUCKET}/tiny",
        "--license",
        "MIT",
    ]


def assert_imported(cloud) -> None:
    assert cloud.content(BUCKET, "tiny/model.gguf") == WEIGHTS
    assert cloud.content(BUCKET, "tiny/config.json") == SMALL
    manifest = json.loads(cloud.content(BUCKET, "tiny/manifest.json"))
    assert manifest["files"]["model.gguf"] == {"sha256": sha256(WEIGHTS), "size": len(WEIGHTS)}


def one_line(capsys) -> str:
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("corral: "), said
    return said


def test_a_model_is_imported_and_loaded_without_any_key(cloud, tmp_path):
    assert main(order()) == 0
    assert_imported(cloud)
    assert main(["load", "--from", f"gs://{BUCKET}/tiny", "--to", str(tmp_path / "model")]) == 0
    assert (tmp_path / "model" / "model.gguf").read_bytes() == WEIGHTS
    assert (tmp_path / "model" / "config.json").read_bytes() == SMALL


def test_a_second_import_brings_nothing_again(cloud, capsys):
    assert main(order()) == 0
    generation = cloud.buckets[BUCKET]["tiny/model.gguf"]["generation"]
    assert main(order()) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert cloud.buckets[BUCKET]["tiny/model.gguf"]["generation"] == generation


def test_what_changed_in_the_store_is_brought_again_and_is_no_manifest_s_word(cloud):
    assert main(order()) == 0
    cloud.put(BUCKET, "tiny/model.gguf", b"GGUF other")
    assert main(order()) == 0
    assert_imported(cloud)


def test_a_wrong_file_of_a_source_leaves_nothing_in_the_store(cloud, capsys):
    assert main(order(weights="0" * 64)) == 1
    assert sha256(WEIGHTS) in one_line(capsys)
    assert cloud.names(BUCKET) == []
    assert cloud.sessions == {}, "the upload is cancelled"


@pytest.mark.parametrize(
    "kept", [None, 0, UNIT, UNIT + 1000], ids=["all lost", "none", "a part", "half a unit"]
)
def test_an_upload_that_is_cut_goes_on_where_the_store_is(cloud, kept, capsys):
    cloud.faults = [Fault(r"PUT .*\[bytes \d+-\d+/\*", keep=kept, times=2)]
    assert main(order()) == 0
    assert_imported(cloud)
    assert any("[bytes */*]" in line for line in cloud.lines), "the store was asked how far it is"
    assert "the connection broke off; again in" in capsys.readouterr().out


@pytest.mark.parametrize(
    "pattern",
    [r"PUT .*\[bytes [0-9*-]+/\d+\]", "POST .*uploadType=multipart", r"PUT .*\[bytes \d+-\d+/\*\]"],
    ids=["the end of an upload", "a small file", "a piece"],
)
def test_an_answer_that_is_lost_makes_no_object_twice(cloud, pattern):
    cloud.faults = [Fault(pattern, done=True, times=1)]
    assert main(order()) == 0
    assert_imported(cloud)


def test_a_store_that_throttles_is_left_alone_for_as_long_as_it_says(cloud, monkeypatch):
    pauses = []
    monkeypatch.setattr(transfer, "sleep", pauses.append)
    cloud.faults = [
        Fault("PUT", status=429, retry_after="7"),
        Fault("PUT", status=503, times=2),
        Fault("POST", status=503),
        Fault("GET .*alt=media", status=429),
    ]
    assert main(order()) == 0
    assert_imported(cloud)
    assert 7.0 in pauses and len(pauses) == 5


def test_a_store_that_never_recovers_is_given_up_in_one_line_without_a_manifest(cloud, capsys):
    cloud.faults = [Fault("PUT", status=503, times=1000)]
    assert main(order()) == 1
    said = one_line(capsys)
    assert f"gs://{BUCKET}/tiny/model.gguf" in said and "the store answers 503" in said
    assert "tiny/manifest.json" not in cloud.names(BUCKET) and "tiny/model.gguf" not in cloud.names(BUCKET)


def test_an_upload_that_the_store_forgot_is_one_line_and_the_next_import_mends_it(cloud, capsys):
    cloud.faults = [Fault("PUT", status=410)]
    assert main(order()) == 1
    assert "the store has lost the upload; run the import again" in one_line(capsys)
    assert "tiny/manifest.json" not in cloud.names(BUCKET)
    assert main(order()) == 0
    assert_imported(cloud)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"PUT .*\[bytes \d+-\d+/\d", "another content than was sent"),
        ("POST .*uploadType=multipart", "MD5 hash doesn't match"),
    ],
    ids=["an upload", "a small file"],
)
def test_content_that_arrives_as_another_is_refused_and_does_not_stay(cloud, pattern, says, capsys):
    cloud.faults = [Fault(pattern, corrupt=True)]
    assert main(order()) == 1
    assert says in one_line(capsys)
    assert "tiny/manifest.json" not in cloud.names(BUCKET)
    for key in cloud.names(BUCKET):
        assert cloud.content(BUCKET, key) in (WEIGHTS, SMALL), f"{key} is half a file"


def test_two_imports_of_the_same_model_at_a_time_leave_it_whole(cloud):
    results = []
    both = [threading.Thread(target=lambda: results.append(main(order()))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert results == [0, 0]
    assert_imported(cloud)


def test_an_import_does_not_replace_what_another_wrote_meanwhile(cloud, monkeypatch, capsys):
    finish = cloud_upload.Upload.finish

    def late(upload):
        if upload.name == "model.gguf":
            cloud.put(BUCKET, "tiny/model.gguf", b"GGUF of another import")
        finish(upload)

    monkeypatch.setattr(cloud_upload.Upload, "finish", late)
    assert main(order()) == 1
    assert "another import has written it meanwhile; run the import again" in one_line(capsys)
    assert cloud.content(BUCKET, "tiny/model.gguf") == b"GGUF of another import"
    assert "tiny/manifest.json" not in cloud.names(BUCKET)


def test_a_download_that_is_cut_goes_on_and_one_that_changes_is_refused(cloud, tmp_path, capsys):
    assert main(order()) == 0
    cloud.faults = [Fault(r"GET .*model\.gguf\?alt=media", cut=300_000, times=3)]
    load = ["load", "--from", f"gs://{BUCKET}/tiny", "--to", str(tmp_path)]
    assert main(load) == 0
    assert (tmp_path / "model.gguf").read_bytes() == WEIGHTS
    cloud.put(BUCKET, "tiny/model.gguf", WEIGHTS[:-1] + b"X")
    (tmp_path / "model.gguf").unlink()
    assert main(load) == 1
    assert "it was changed after its import, and is not served" in one_line(capsys)
    assert not (tmp_path / "model.gguf").exists()


def test_a_source_that_changes_between_two_parts_is_never_stored(cloud, capsys):
    media, replaced = cloud.next_fault, []

    def replacing(line):
        if "intake" in line and "alt=media" in line and "model.gguf" in line and len(replaced) < 2:
            if replaced:
                cloud.put("intake", "tiny/model.gguf", WEIGHTS[:-4] + b"XXXX")
            replaced.append(line)
        return media(line)

    cloud.next_fault = replacing
    cloud.faults = [Fault(r"GET .*intake.*model\.gguf\?alt=media", cut=300_000, times=1)]
    assert main(order()) == 1
    assert "it was changed while it was read; run the import again" in one_line(capsys)
    assert "tiny/model.gguf" not in cloud.names(BUCKET) and cloud.sessions == {}


def test_a_model_whose_import_has_not_ended_is_not_loaded(cloud, tmp_path, capsys):
    cloud.put(BUCKET, "tiny/model.gguf", WEIGHTS)
    assert main(["load", "--from", f"gs://{BUCKET}/tiny", "--to", str(tmp_path)]) == 1
    assert "its import has not come to its end" in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_an_account_without_a_role_is_told_what_it_needs(cloud, capsys):
    cloud.roles[BUCKET] = {(READ, "somebody")}
    assert main(order()) == 1
    said = one_line(capsys)
    assert "answers 403" in said and "storage.objects.create" in said and "role on the bucket" in said
    cloud.roles[BUCKET] = {(WRITE, "somebody")}
    assert main(order()) == 0


def test_a_token_that_ends_on_the_way_is_replaced_by_another(cloud):
    put = cloud.put

    def expiring(bucket, key, *args, **more):
        if key == "tiny/config.json":
            cloud.tokens.clear()
        return put(bucket, key, *args, **more)

    cloud.put = expiring
    assert main(order()) == 0
    assert_imported(cloud)
    assert len(cloud.tokens) == 1, "a new one was asked for, once"


def test_a_pod_without_an_identity_is_told_so(cloud, capsys):
    cloud.member_of = lambda _: None
    assert main(order()) == 1
    assert "the pod's account has no identity at Google" in one_line(capsys)


def test_outside_of_google_cloud_the_way_out_is_named(cloud, monkeypatch, capsys):
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    assert main(order()) == 1
    said = one_line(capsys)
    assert "no answer at 127.0.0.1:9" in said and "name a token in GOOGLE_OAUTH_ACCESS_TOKEN" in said


def test_a_token_of_somebody_reads_an_intake_for_a_lock(cloud, monkeypatch):
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", cloud.issue("jane.doe@example.eu"))
    cloud.member_of = lambda _: None
    listing = locked(source_of("gs://intake/tiny"), print)
    assert {one.name: (one.size, one.sha256) for one in listing.files} == {
        "model.gguf": (len(WEIGHTS), sha256(WEIGHTS)),
        "config.json": (len(SMALL), sha256(SMALL)),
    }
    cloud.put("intake", "tiny/a.json", b"{}")
    cloud.put("intake", "tiny-2/other.gguf", b"GGUF")
    names = {one.name for one in source_of("gs://intake/tiny").listing().files}
    assert names == {"model.gguf", "config.json", "a.json"}, "of all pages, and of no other folder"
