"""The bundle: its files, its bills of materials, its signature, and what verification sees."""

import hashlib
import json
import shutil
from dataclasses import replace

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tests.reports.evidence.made import evidence, stamp

from corral.stacks.reports.evidence import bundle
from corral.stacks.reports.evidence.facts import Artifact
from corral.stacks.reports.evidence.json_schema import SCHEMA
from corral.stacks.reports.evidence.signature import KeyProblem, NotVerified, private_key, public_key

KEYS = {"Ed25519": ed25519.Ed25519PrivateKey.generate(), "P-256": ec.generate_private_key(ec.SECP256R1())}
KEY = KEYS["Ed25519"]
PINNED = Artifact("web", "1.2", f"registry.example.eu:5000/a/web:1.2@sha256:{'b' * 64}", f"sha256:{'b' * 64}")


def pem(key, password=None) -> bytes:
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)


def public(key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def whole():
    return replace(evidence(stamp()), images=(PINNED,))


@pytest.fixture(scope="module")
def signed(whole):
    return bundle.files(whole, KEY)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_signed_bundle_is_verified_as_folder_and_as_archive(whole, key, name, tmp_path):
    bundle.write(tmp_path / name, bundle.files(whole, key))
    predicate = bundle.verify(bundle.read(tmp_path / name), key.public_key())
    assert predicate["passed"] is True and predicate["stack"] == "test"


def test_the_same_evidence_has_the_same_bytes(whole, signed, tmp_path):
    assert bundle.files(whole, KEY) == signed
    for name in ("a.zip", "b.zip"):
        bundle.write(tmp_path / name, signed)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("name", [*bundle.FILES, bundle.STATEMENT])
def test_a_changed_file_is_not_verified(signed, name):
    changed = {**signed, name: signed[name].replace(b"test", b"best", 1) + b" "}
    with pytest.raises(NotVerified, match=name):
        bundle.verify(changed, KEY.public_key())


def test_a_missing_an_added_and_another_keys_file_are_not_verified(signed):
    with pytest.raises(NotVerified, match=r"evidence\.html is missing"):
        bundle.verify({key: one for key, one in signed.items() if key != bundle.PAGE}, KEY.public_key())
    with pytest.raises(NotVerified, match=r"more\.txt: no part of what was signed"):
        bundle.verify({**signed, "more.txt": b""}, KEY.public_key())
    with pytest.raises(NotVerified, match="no signature is of this public key"):
        bundle.verify(signed, KEYS["P-256"].public_key())


def test_an_unsigned_bundle_says_so_and_leaves_no_signature_of_an_earlier_one(whole, signed, tmp_path):
    bundle.write(tmp_path, signed)
    bundle.write(tmp_path, bundle.files(whole, None))
    assert "unsigned" in (tmp_path / bundle.PAGE).read_text()
    with pytest.raises(NotVerified, match="unsigned"):
        bundle.verify(bundle.read(tmp_path), KEY.public_key())


@pytest.mark.parametrize("content", [b"", b"{}", b'{"payload": 1, "payloadType": "x", "signatures": []}'])
def test_a_broken_envelope_is_not_verified(signed, content):
    with pytest.raises(NotVerified, match="no DSSE envelope"):
        bundle.verify({**signed, bundle.SIGNATURE: content}, KEY.public_key())


def test_an_envelope_is_what_dsse_says(signed):
    """The pre-authentication encoding is computed here anew, from the specification."""
    import base64

    made = json.loads(signed[bundle.SIGNATURE])
    payload = base64.b64decode(made["payload"])
    kind = b"application/vnd.in-toto+json"
    encoded = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
    KEY.public_key().verify(base64.b64decode(made["signatures"][0]["sig"]), encoded)
    assert json.loads(payload)["_type"] == "https://in-toto.io/Statement/v1"


def test_a_file_that_is_no_archive_is_not_verified(tmp_path):
    (tmp_path / "x").write_text("x")
    with pytest.raises(NotVerified, match="neither a folder nor a zip archive"):
        bundle.read(tmp_path / "x")


@pytest.mark.parametrize("name", [bundle.SOFTWARE, bundle.MODELS])
def test_the_bills_keep_to_the_schema_of_cyclonedx(signed, name):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(signed[name].decode()) is None


def test_the_bill_of_software_has_digest_and_package_url(signed):
    (image,) = [one for one in json.loads(signed[bundle.SOFTWARE])["components"] if one["name"] == "web"]
    assert image["hashes"] == [{"alg": "SHA-256", "content": "b" * 64}]
    assert image["purl"].startswith(f"pkg:oci/web@sha256:{'b' * 64}?repository_url=registry.example.eu")
    assert "tag=1.2" in image["purl"]


def test_the_bill_of_models_has_the_hash_of_every_file(whole, signed):
    (model,) = json.loads(signed[bundle.MODELS])["components"]
    assert model["type"] == "machine-learning-model"
    hashes = {one["name"]: one["hashes"][0]["content"] for one in model["components"]}
    assert hashes == {one.name: one.sha256 for one in whole.models[0].files}


def test_the_statement_has_the_sha_256_of_each_file(signed):
    subjects = json.loads(signed[bundle.STATEMENT])["subject"]
    assert {one["name"] for one in subjects} == set(bundle.FILES)
    for one in subjects:
        assert one["digest"]["sha256"] == hashlib.sha256(signed[one["name"]]).hexdigest()


def test_a_key_is_read_from_a_file_or_a_variable(tmp_path, monkeypatch):
    (tmp_path / "key").write_bytes(pem(KEY))
    (tmp_path / "locked").write_bytes(pem(KEY, b"canary"))
    monkeypatch.setenv("SIGNING", pem(KEY).decode())
    assert public(private_key(str(tmp_path / "key"))) == public(private_key("env://SIGNING")) == public(KEY)
    with pytest.raises(KeyProblem, match="encrypted"):
        private_key(str(tmp_path / "locked"))
    monkeypatch.setenv("CORRAL_EVIDENCE_KEY_PASSWORD", "canary")
    assert public(private_key(str(tmp_path / "locked"))) == public(KEY)


def test_a_key_that_cannot_be_used_is_refused_without_its_content(tmp_path):
    large = rsa.generate_private_key(65537, 2048)
    for name, content in (("rsa", pem(large)), ("none", b"canary"), ("public", public(KEY))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(KeyProblem, match="Ed25519 or ECDSA P-256") as refused:
            private_key(str(tmp_path / name))
        assert "canary" not in str(refused.value)
    with pytest.raises(KeyProblem, match="No such file"):
        public_key(str(tmp_path / "absent"))
    with pytest.raises(KeyProblem, match="is not set"):
        private_key("env://NOT_SET_AT_ALL")
    with pytest.raises(KeyProblem, match="which arguments must not") as refused:
        private_key(pem(KEY).decode())
    assert pem(KEY).splitlines()[1].decode() not in str(refused.value)


def test_a_folder_that_held_a_bundle_keeps_other_files(signed, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    bundle.write(tmp_path, signed)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    shutil.rmtree(tmp_path)


def test_evidence_is_as_its_published_schema_says_and_nothing_else(whole):
    published = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(published)
    document = json.loads(bundle.files(whole, None)[bundle.EVIDENCE])
    assert document["controls"] and document["images"]
    jsonschema.validate(document, published, jsonschema.Draft202012Validator)
    (first, *rest) = document["controls"]
    for wrong in (
        {**document, "version": 2},
        {**document, "password": "x"},
        {key: one for key, one in document.items() if key != "not_checked"},
        {**document, "controls": [{**first, "verdict": "fine"}, *rest]},
        {**document, "controls": [{**first, "token": "x"}, *rest]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, published, jsonschema.Draft202012Validator)
