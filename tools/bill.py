"""Where a model comes from, as a CycloneDX ML-BOM beside its manifest."""

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SPEC_VERSION = "1.6"


@dataclass(frozen=True)
class StoredFile:
    """A file of a model as the store has it."""

    sha256: str
    """In hex."""
    size: int
    """Bytes."""


def bill_of_materials(
    source: str, target: str, license: str, files: Mapping[str, StoredFile]
) -> dict[str, Any]:
    """The bill of the model below `target`: its source, licence and files.

    The same files from the same source have the same serial number.
    """
    from importlib.metadata import version

    listed = {name: files[name] for name in sorted(files)}
    content = "\n".join((source, license, *(f"{name} {one.sha256}" for name, one in listed.items())))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "tools": {
                "components": [{"type": "application", "name": "corral", "version": version("corral")}]
            },
            "component": {
                "type": "machine-learning-model",
                "bom-ref": "model",
                "name": target.rpartition("/")[2],
                "licenses": [_license(license)],
                "externalReferences": [{"type": "distribution", "url": source}],
                "components": [
                    {
                        "type": "file",
                        "bom-ref": f"file:{name}",
                        "name": name,
                        "hashes": [{"alg": "SHA-256", "content": one.sha256}],
                        "properties": [{"name": "corral:size", "value": str(one.size)}],
                    }
                    for name, one in listed.items()
                ],
            },
        },
    }


def _license(text: str) -> dict[str, Any]:
    """An SPDX expression where it is one, else a name."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return {"expression": canonicalize_license_expression(text)}
    except InvalidLicenseExpression:
        return {"license": {"name": text}}
