"""The files of a bundle, as a folder or as one zip archive."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter

from corral.catalogue.files import replace
from corral.stacks.reports.evidence import bills
from corral.stacks.reports.evidence.facts import Evidence
from corral.stacks.reports.evidence.page import page
from corral.stacks.reports.evidence.signature import (
    NotVerified,
    PrivateKey,
    PublicKey,
    envelope,
    opened,
    statement,
)

EVIDENCE, PAGE, SOFTWARE, MODELS = "evidence.json", "evidence.html", "sbom.cdx.json", "mlbom.cdx.json"
IDENTITY = {"kind": "Evidence", "version": 1}
"""What the document says that it is."""
STATEMENT, SIGNATURE = "statement.json", "statement.dsse.json"
FILES = (EVIDENCE, PAGE, SOFTWARE, MODELS)
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time of a zip archive: its bytes do not depend on when it is written."""
MOST_BYTES = 256 * 1024 * 1024
"""Of all files together, when a bundle is read."""


def document(evidence: Evidence) -> dict[str, Any]:
    """`evidence` as plain JSON values."""
    content = TypeAdapter(Evidence).dump_python(evidence, mode="json")
    return {**IDENTITY, **content}


def files(evidence: Evidence, key: PrivateKey | None) -> dict[str, bytes]:
    """Every file of the bundle by name; signed with `key`, unsigned where None."""
    text = json.dumps(document(evidence), indent=2, ensure_ascii=False) + "\n"
    made = {
        EVIDENCE: text.encode(),
        PAGE: page(evidence, signed=key is not None).encode(),
        SOFTWARE: bills.software(evidence).encode(),
        MODELS: bills.models(evidence).encode(),
    }
    predicate = {
        "stack": evidence.stack,
        "profile": evidence.profile,
        "made": evidence.made,
        "corral": evidence.corral,
        "rules": evidence.rules,
        "passed": not evidence.failures,
        "signed": key is not None,
    }
    stated = statement(made, predicate)
    made[STATEMENT] = stated
    if key is not None:
        made[SIGNATURE] = envelope(stated, key)
    return made


def write(target: Path, made: Mapping[str, bytes]) -> None:
    """Write the files into folder `target`, or into one archive where it ends in `.zip`.

    A signature of an earlier bundle does not stay beside an unsigned one.
    """
    if target.suffix == ".zip":
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(made.items()):
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, content)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(buffer.getvalue())
        return
    target.mkdir(parents=True, exist_ok=True)
    for name in {*FILES, STATEMENT, SIGNATURE} - made.keys():
        (target / name).unlink(missing_ok=True)
    for name, content in made.items():
        replace(target / name, content.decode())


def read(source: Path) -> dict[str, bytes]:
    """The files of a bundle.

    Raises:
        NotVerified: it is none, or larger than any.
        OSError: it cannot be read.
    """
    if source.is_dir():
        found = {path.name: path for path in source.iterdir() if path.is_file()}
        if sum(path.stat().st_size for path in found.values()) > MOST_BYTES:
            raise NotVerified("it is larger than any bundle")
        return {name: path.read_bytes() for name, path in found.items()}
    try:
        with zipfile.ZipFile(source) as archive:
            if sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
                raise NotVerified("it is larger than any bundle")
            return {one.filename: archive.read(one) for one in archive.infolist()}
    except zipfile.BadZipFile:
        raise NotVerified("it is neither a folder nor a zip archive") from None


def verify(found: Mapping[str, bytes], key: PublicKey) -> dict[str, Any]:
    """The predicate of a bundle whose signature and hashes are right.

    Raises:
        NotVerified: they are not.
    """
    if SIGNATURE not in found:
        raise NotVerified(f"unsigned: it has no {SIGNATURE}")
    payload = opened(found[SIGNATURE], key)
    if found.get(STATEMENT) != payload:
        raise NotVerified(f"{STATEMENT} is not what was signed")
    stated = cast("dict[str, Any]", json.loads(payload))
    digests = {str(one["name"]): str(one["digest"]["sha256"]) for one in stated["subject"]}
    for name, digest in digests.items():
        if name not in found:
            raise NotVerified(f"{name} is missing")
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise NotVerified(f"{name} was changed: its SHA-256 is not the signed one")
    strangers = sorted(found.keys() - digests.keys() - {STATEMENT, SIGNATURE})
    if strangers:
        raise NotVerified(f"{', '.join(strangers)}: no part of what was signed")
    return cast("dict[str, Any]", stated["predicate"])
