"""Import of a model: files are fetched, checked by SHA-256, uploaded; a manifest comes last."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral.tools import store as s3
from corral.tools.failure import ToolFailure
from corral.tools.sources import source_of
from corral.tools.sources.source import Source, sha256_of

MANIFEST = "manifest.json"
FORMAT = 1

Say = Callable[[str], None]


@dataclass(frozen=True)
class Import:
    """What to import: `files` maps the name of each file to its expected SHA-256 in hex."""

    source: str
    target: s3.Location
    files: Mapping[str, str]
    license: str


def run(order: Import, store: Any, say: Say) -> None:
    """Carry out `order`; a manifest that says the same already, over complete objects, means nothing is done.

    Nothing is uploaded before every file has been checked.

    Raises:
        ToolFailure: a source cannot be read or a file is not the expected one.
        botocore.exceptions.ClientError: the store refused.
    """
    where = f"s3://{order.target.bucket}/{order.target.prefix}"
    if _complete(order, store):
        say(f"{where} holds these files already; nothing to do")
        return
    with tempfile.TemporaryDirectory(prefix="corral-import-") as folder:
        source = source_of(order.source, store)
        verified = {name: _verified(order, name, source, Path(folder), say) for name in sorted(order.files)}
        for name, path in verified.items():
            s3.upload(store, order.target, name, path, order.files[name])
            say(f"uploaded {name} to {where}")
        sizes = {name: path.stat().st_size for name, path in verified.items()}
        s3.write_json(store, order.target, MANIFEST, _manifest(order, sizes))
    say(f"wrote {where}/{MANIFEST}")


def _manifest(order: Import, sizes: Mapping[str, int]) -> dict[str, Any]:
    from importlib.metadata import version

    files = {name: {"sha256": digest, "size": sizes[name]} for name, digest in order.files.items()}
    tool = f"corral {version('corral')}"
    return {
        "format": FORMAT,
        "source": order.source,
        "license": order.license,
        "tool": tool,
        "files": files,
    }


def _complete(order: Import, store: Any) -> bool:
    found = s3.read_json(store, order.target, MANIFEST) or {}
    listed: dict[str, dict[str, Any]] = found.get("files", {})
    same = {name: entry.get("sha256") for name, entry in listed.items()} == dict(order.files)
    told = (found.get("source"), found.get("license")) == (order.source, order.license)
    return (
        same
        and told
        and all(s3.size_of(store, order.target, name) == entry["size"] for name, entry in listed.items())
    )


def _verified(order: Import, name: str, source: Source, scratch: Path, say: Say) -> Path:
    say(f"fetching {name} from {order.source}")
    path = source.fetch(name, scratch)
    found = sha256_of(path)
    if found != order.files[name]:
        raise ToolFailure(
            f"{name} from {order.source} has SHA-256 {found}, not {order.files[name]}; nothing was stored"
        )
    say(f"verified {name}: {path.stat().st_size} bytes, SHA-256 {found}")
    return path
