"""Imports over networks that break off, from sources that throttle, change or lie."""

import datetime
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from botocore.retries.standard import ExponentialBackoff
from tests.doubles.faults import COMMIT, Faults, StoreFaults, before_store, handler
from tests.doubles.servers import listening
from tests.marks import first_of

from corral.tools import importer, staging
from corral.tools import store as s3
from corral.tools.__main__ import main
from corral.tools.sources import bucket as bucket_source
from corral.tools.sources import transfer
from corral.tools.store import Location

WEIGHTS = b"GGUF" + hashlib.sha256(b"weights").digest() * 40_000
MIB = 1 << 20


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(transfer, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(s3, "ATTEMPTS", 2)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)


@pytest.fixture(params=first_of(("hub", "registry")))
def serving(request, monkeypatch):
    """Starts a source with faults; returns its URI."""
    servers = []

    def start(faults: Faults) -> str:
        server = listening(handler(faults))
        faults.address = server.__enter__()
        servers.append(server)
        monkeypatch.setenv("HF_ENDPOINT", f"http://{faults.address}")
        monkeypatch.setenv("CORRAL_INSECURE_REGISTRIES", faults.address)
        if request.param == "hub":
            return f"hf://org/tiny@{COMMIT}"
        return f"oci://{faults.address}/models/tiny:1.0"

    start.kind = request.param
    yield start
    for one in servers:
        one.__exit__(None, None, None)


def order(uri: str, bucket: str, content: bytes = WEIGHTS, name: str = "model.gguf") -> list[str]:
    sums = ["--sha256", f"{name}={sha256(content)}"]
    return ["import", "--source", uri, *sums, "--to", f"s3://{bucket}/tiny", "--license", "MIT"]


def stored(store, bucket: str) -> bytes:
    return store.get_object(Bucket=bucket, Key="tiny/model.gguf")["Body"].read()


def assert_nothing_left(store, bucket: str) -> None:
    assert "Contents" not in store.list_objects_v2(Bucket=bucket)
    assert not store.list_multipart_uploads(Bucket=bucket).get("Uploads"), "nothing is half-written"


def one_line(capsys) -> str:
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("corral: "), said
    return said


def test_a_download_that_is_cut_again_and_again_goes_on_where_it_was(serving, store, bucket, capsys):
    faults = Faults(WEIGHTS, cut_after=300_000)
    assert main(order(serving(faults), bucket)) == 0
    assert stored(store, bucket) == WEIGHTS
    assert faults.ranged == [f"bytes={at}-" for at in range(300_000, len(WEIGHTS), 300_000)]
    assert "the connection broke off at 300000 of 1280004 bytes; again in" in capsys.readouterr().out


def test_a_server_without_ranges_is_read_from_the_start_and_no_byte_comes_twice(serving, store, bucket):
    assert main(order(serving(Faults(WEIGHTS, ranges=False, cut_after=MIB, cuts=2)), bucket)) == 0
    assert stored(store, bucket) == WEIGHTS


def test_a_server_that_names_no_version_is_trusted_only_with_what_it_sends_again(serving, store, bucket):
    faults = Faults(WEIGHTS, etag=False, cut_after=MIB, cuts=2)
    assert main(order(serving(faults), bucket)) == 0
    assert stored(store, bucket) == WEIGHTS
    if serving.kind == "hub":
        assert faults.ranged == [], "nothing says that a range belongs to what was read"


def test_a_source_that_throttles_is_left_alone_for_as_long_as_it_says(
    serving, store, bucket, monkeypatch, capsys
):
    pauses = []
    monkeypatch.setattr(transfer, "sleep", pauses.append)
    faults = Faults(WEIGHTS, busy=[(429, "7"), (503, None), (503, "Wed, 21 Oct 2015 07:28:00 GMT")])
    assert main(order(serving(faults), bucket)) == 0
    assert pauses[0] == 7.0 and max(pauses[1:]) < 1.0
    assert "the server answers 429" in capsys.readouterr().out


def test_a_source_that_wants_hours_of_rest_is_not_waited_for(serving, store, bucket, capsys):
    assert main(order(serving(Faults(WEIGHTS, busy=[(429, "7200")])), bucket)) == 1
    assert "the server answers 429; the server wants 7200 s of rest" in one_line(capsys)
    assert_nothing_left(store, bucket)


def test_a_source_that_never_recovers_is_given_up_in_one_line_with_nothing_stored(
    serving, store, bucket, capsys
):
    faults = Faults(WEIGHTS, busy=[(503, None)] * 100)
    assert main(order(serving(faults), bucket)) == 1
    assert "model.gguf" in (said := one_line(capsys)) and "the server answers 503" in said
    assert len(faults.seen) == transfer.ATTEMPTS
    assert_nothing_left(store, bucket)


def test_a_connection_that_stalls_is_given_up_and_the_rest_is_read_by_another(
    serving, store, bucket, monkeypatch, capsys
):
    monkeypatch.setattr(transfer, "TIMEOUT", httpx.Timeout(5.0, read=0.3))
    faults = Faults(WEIGHTS, stalls=1)
    assert main(order(serving(faults), bucket)) == 0
    assert stored(store, bucket) == WEIGHTS and len(faults.ranged) == 1
    assert "no byte for" in capsys.readouterr().out


def test_a_file_that_changes_between_two_parts_is_never_stored(serving, store, bucket, capsys):
    other = WEIGHTS[:-4] + b"XXXX"
    assert main(order(serving(Faults(WEIGHTS, later=other, cut_after=MIB, cuts=1)), bucket)) == 1
    said = one_line(capsys)
    assert "it was changed while it was read" in said or "has SHA-256" in said
    assert_nothing_left(store, bucket)


@pytest.mark.parametrize("cuts", [0, 1])
def test_a_file_with_wrong_bytes_is_named_with_both_sums_and_never_stored(
    serving, store, bucket, capsys, cuts
):
    wrong = WEIGHTS[:100] + b"x" + WEIGHTS[101:]
    faults = Faults(wrong, cut_after=MIB, cuts=cuts)
    assert main(order(serving(faults), bucket, WEIGHTS)) == 1
    said = one_line(capsys)
    assert sha256(WEIGHTS) in said and sha256(wrong) in said
    assert_nothing_left(store, bucket)


@pytest.mark.exhaustive
def test_a_large_file_goes_to_the_store_in_parts_and_is_no_object_before_it_is_right(
    serving, store, bucket, monkeypatch, capsys
):
    large = WEIGHTS * 10
    monkeypatch.setattr(staging, "PARTS", ((10_000, 5 * MIB),))
    wrong = large[:-1] + b"?"
    assert main(order(serving(Faults(wrong)), bucket, large)) == 1
    assert_nothing_left(store, bucket)
    capsys.readouterr()
    assert main(order(serving(Faults(large, cut_after=3 * MIB)), bucket, large)) == 0
    assert stored(store, bucket) == large
    assert store.head_object(Bucket=bucket, Key="tiny/model.gguf")["ETag"].endswith('-3"')
    manifest = json.loads(store.get_object(Bucket=bucket, Key="tiny/manifest.json")["Body"].read())
    assert manifest["files"] == {"model.gguf": {"sha256": sha256(large), "size": len(large)}}


class Counting:
    """Takes so many parts once all of them are there; the most that it has had at a time, and their bytes."""

    def __init__(self, parts: int) -> None:
        self._together = threading.Barrier(parts, timeout=30)
        self._lock, self._sizes = threading.Lock(), list[int]()
        self.bytes, self.parts = 0, 0

    def create_multipart_upload(self, **_options: object) -> dict[str, str]:
        return {"UploadId": "one"}

    def upload_part(self, *, Body: bytes, **_options: object) -> dict[str, str]:
        with self._lock:
            self._sizes.append(len(Body))
            self.bytes, self.parts = (
                max(self.bytes, sum(self._sizes)),
                max(self.parts, len(self._sizes)),
            )
        self._together.wait()
        with self._lock:
            self._sizes.remove(len(Body))
        return {"ETag": "part"}


@pytest.mark.parametrize(("most", "parts"), [(64 * MIB, staging.UNDER_WAY), (12 * MIB, 3)])
def test_parts_are_sent_side_by_side_as_far_as_memory_was_reckoned_for(monkeypatch, most, parts):
    monkeypatch.setattr(staging, "PARTS", ((10_000, 4 * MIB),))
    monkeypatch.setattr(staging, "MOST_UNDER_WAY", most)
    counting = Counting(parts)
    with ThreadPoolExecutor(staging.UNDER_WAY) as pool:
        file = staging.StagedFile(counting, Location.parse("s3://models/tiny"), "model.gguf", pool)
        for _ in range(3 * staging.UNDER_WAY):
            file.write(bytes(4 * MIB))
        file.verified("0" * 64)
    assert (counting.parts, counting.bytes) == (parts, parts * 4 * MIB)


@pytest.mark.exhaustive
def test_imports_of_one_model_at_the_same_time_end_with_one_right_model(serving, store, bucket):
    faults = Faults(WEIGHTS, cut_after=400_000)
    words = order(serving(faults), bucket)
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(main(words))) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert results == [0, 0, 0]
    assert stored(store, bucket) == WEIGHTS
    manifest = json.loads(store.get_object(Bucket=bucket, Key="tiny/manifest.json")["Body"].read())
    assert manifest["files"]["model.gguf"]["sha256"] == sha256(WEIGHTS)
    assert not store.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_what_was_right_stays_for_the_next_import_when_a_source_breaks_off_for_good(store, bucket, tmp_path):
    (tmp_path / "a.gguf").write_bytes(WEIGHTS)
    sums = [word for name in ("a.gguf", "b.gguf") for word in ("--sha256", f"{name}={sha256(WEIGHTS)}")]
    words = ["import", "--source", f"file://{tmp_path}", *sums, "--to", f"s3://{bucket}/two"]
    assert main([*words, "--license", "MIT"]) == 1
    names = [one["Key"] for one in store.list_objects_v2(Bucket=bucket)["Contents"]]
    assert names == ["two/a.gguf"], "no manifest: nobody takes it for a model"
    (tmp_path / "a.gguf").unlink()
    (tmp_path / "b.gguf").write_bytes(WEIGHTS)
    assert main([*words, "--license", "MIT"]) == 0


@pytest.fixture
def intake(store, bucket, moto_endpoint, monkeypatch):
    """A source store with faults before the real one; the platform's own has none."""
    faults = StoreFaults()
    with listening(before_store(moto_endpoint, faults)) as address:
        monkeypatch.setenv("SOURCE_AWS_ENDPOINT_URL_S3", f"http://{address}")
        monkeypatch.setenv("SOURCE_AWS_ACCESS_KEY_ID", "reader")
        monkeypatch.setenv("SOURCE_AWS_SECRET_ACCESS_KEY", "canary-of-the-source")
        monkeypatch.setattr(bucket_source, "RANGE", 200_000)
        store.put_object(Bucket=bucket, Key="intake/model.gguf", Body=WEIGHTS)
        yield faults


def from_intake(bucket: str) -> list[str]:
    return order(f"s3://{bucket}/intake", bucket)


def test_ranges_of_an_object_that_are_cut_or_refused_by_a_busy_store_are_read_again(intake, store, bucket):
    intake.cut, intake.busy = 3, 2
    assert main(from_intake(bucket)) == 0
    assert stored(store, bucket) == WEIGHTS
    assert intake.gets >= -(-len(WEIGHTS) // 200_000) + 5


def test_an_object_that_is_overwritten_while_it_is_read_is_one_line_and_nothing_is_stored(
    intake, store, bucket, capsys
):
    def overwrite(number: int) -> None:
        if number == 3:
            store.put_object(Bucket=bucket, Key="intake/model.gguf", Body=WEIGHTS[:-4] + b"XXXX")

    intake.before = overwrite
    assert main(from_intake(bucket)) == 1
    assert f"s3://{bucket}/intake/model.gguf: it was changed while it was read" in one_line(capsys)
    assert [one["Key"] for one in store.list_objects_v2(Bucket=bucket)["Contents"]] == ["intake/model.gguf"]


def test_a_store_that_stays_busy_is_given_up_in_its_own_words(intake, store, bucket, capsys):
    intake.busy = 1000
    assert main(from_intake(bucket)) == 1
    assert "SlowDown" in one_line(capsys)


def test_an_upload_that_was_left_behind_is_removed_and_one_of_today_is_let_be(store, bucket, monkeypatch):
    # moto dates every upload to 2010.
    monkeypatch.setattr(staging, "ABANDONED", datetime.timedelta(days=365 * 100))
    store.create_multipart_upload(Bucket=bucket, Key="tiny/model.gguf")
    store.create_multipart_upload(Bucket=bucket, Key="tiny2/model.gguf")
    staging.remove_abandoned(store, Location(bucket, "tiny"), print)
    assert len(store.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 2
    monkeypatch.setattr(staging, "ABANDONED", datetime.timedelta(days=1))
    staging.remove_abandoned(store, Location(bucket, "tiny"), print)
    left = store.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [one["Key"] for one in left] == ["tiny2/model.gguf"], "another model's is not ours to remove"


def test_progress_of_a_long_file_is_told_as_it_goes(serving, store, bucket, monkeypatch, capsys):
    monkeypatch.setattr(importer, "EVERY_SECONDS", 0.0)
    assert main(order(serving(Faults(WEIGHTS)), bucket)) == 0
    assert "model.gguf: 1 MiB so far" in capsys.readouterr().out
