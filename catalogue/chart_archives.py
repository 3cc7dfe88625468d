"""Charts out of registries and repositories, verified by digest, as folders."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

import httpx

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.charts import OCI, ChartEntry
from corral.catalogue.files import replace
from corral.catalogue.registry import Unresolved, blob, body, index_entry, manifest, stated_digest

LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
"""Media type of a chart's archive in a registry (helm/helm, pkg/registry/constants.go)."""
ARCHIVE_BYTES = 16 << 20
UNPACKED_BYTES = 128 << 20
RECORD = "pulled.json"


@dataclass(frozen=True)
class Pulled:
    """What became of one chart."""

    entry: ChartEntry
    digest: str | None
    reason: str = ""
    """Why there is no such chart."""
    present: bool = False
    """Whether it was there already."""

    @property
    def locked(self) -> bool:
        """Whether the digest was known before the registry gave it."""
        return self.entry.digest != UNRESOLVED


def pull(
    entries: Sequence[ChartEntry], folder: Path, http: httpx.Client, insecure: Collection[str] = ()
) -> Iterator[Pulled]:
    """Bring every chart into `folder`, each under its name; what is there by the same digest stays.

    A chart whose digest is unresolved is pulled by the one that its registry gives. One that cannot be had,
    or whose content has another digest, leaves what was there as it was.
    """
    known = _record(folder)
    for entry in entries:
        noted = known.get(entry.name, {})
        same = noted.get("reference") == entry.reference and entry.digest in (UNRESOLVED, noted.get("digest"))
        if same and (folder / entry.name / "Chart.yaml").is_file():
            yield Pulled(entry, noted["digest"], present=True)
            continue
        try:
            digest, archive = _archive(entry, http, insecure)
            _unpack(archive, entry.name, folder)
        except Unresolved as error:
            yield Pulled(entry, None, str(error))
            continue
        except httpx.HTTPError as error:
            yield Pulled(entry, None, f"unreachable: {type(error).__name__}")
            continue
        known[entry.name] = {"reference": entry.reference, "digest": digest}
        replace(folder / RECORD, json.dumps(known, indent=2, sort_keys=True) + "\n")
        yield Pulled(entry, digest)


def _record(folder: Path) -> dict[str, dict[str, str]]:
    file = folder / RECORD
    return cast("dict[str, dict[str, str]]", json.loads(file.read_text())) if file.is_file() else {}


def _archive(entry: ChartEntry, http: httpx.Client, insecure: Collection[str]) -> tuple[str, bytes]:
    """Digest as `corral lock` keeps it, and the archive that has it."""
    if not entry.source.startswith(OCI):
        return _from_repository(entry, http)
    host, _, path = f"{entry.source.removeprefix(OCI).rstrip('/')}/{entry.name}".partition("/")
    revision = entry.version if entry.digest == UNRESOLVED else entry.digest
    content = manifest(host, path, revision, http, insecure)
    digest = _verified(content, entry.digest)
    try:
        layers = cast("list[Mapping[str, Any]]", json.loads(content)["layers"])
        layer = next(str(one["digest"]) for one in layers if one["mediaType"] == LAYER)
    except (ValueError, KeyError, TypeError, StopIteration):
        raise Unresolved("its manifest names no chart") from None
    archive = blob(host, path, layer, http, insecure, ARCHIVE_BYTES)
    _verified(archive, layer)
    return digest, archive


def _from_repository(entry: ChartEntry, http: httpx.Client) -> tuple[str, bytes]:
    repository = entry.source.rstrip("/")
    release = index_entry(repository, entry.name, entry.version, http)
    stated = stated_digest(release)
    addresses = release.get("urls")
    if not isinstance(addresses, list) or not addresses:
        raise Unresolved("its index states no address")
    if entry.digest not in (UNRESOLVED, stated):
        raise Unresolved(f"the index states {stated}, locked is {entry.digest}")
    address = urljoin(f"{repository}/", str(cast("list[Any]", addresses)[0]))
    archive = body(http, address, {}, ARCHIVE_BYTES)
    return _verified(archive, stated), archive


def _verified(content: bytes, expected: str) -> str:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if expected not in (UNRESOLVED, digest):
        raise Unresolved(f"its content has {digest}, expected is {expected}")
    return digest


def _unpack(archive: bytes, name: str, folder: Path) -> None:
    """Put the chart `name` in the place of what `folder` has under that name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = folder / f".{name}.new"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
            members = packed.getmembers()
            if sum(one.size for one in members) > UNPACKED_BYTES:
                raise Unresolved(f"a chart of more than {UNPACKED_BYTES >> 20} MiB")
            if any(one.name.split("/")[0] != name for one in members):
                raise Unresolved(f"its archive has more than the folder {name}")
            packed.extractall(scratch, members, filter="data")
        if not (scratch / name / "Chart.yaml").is_file():
            raise Unresolved("its archive has no Chart.yaml")
        shutil.rmtree(folder / name, ignore_errors=True)
        (scratch / name).rename(folder / name)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Unresolved(f"its archive cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
