"""Release archives, from servers on loopback."""

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from corral.embedded.toolchain.downloads import published_sha256
from corral.embedded.toolchain.errors import SourceUnavailable, ToolchainError
from corral.embedded.toolchain.installed import Installed, OnPath
from corral.embedded.toolchain.recipes import Recipe
from corral.embedded.toolchain.releases import Release, ReleaseFile
from corral.embedded.toolchain.setup import plan, set_up
from corral.embedded.toolchain.tools import GO, TOOLS

from .conftest import Site, sha256, tar_of

ARCHIVE = "/greet-1.0-linux.tar.gz"


def release(site: type[Site]) -> Release:
    return Release(
        (ReleaseFile(f"{site.url}/greet-{{version}}-linux.tar.gz", f"{site.url}/SUMS", {"greet": "d/greet"}),)
    )


def recipe(*sources: object) -> Recipe:
    return Recipe("greet", "1.0", ("greet",), sources)  # type: ignore[arg-type]


def publish(site: type[Site], sum_of: Callable[[bytes], str] = sha256) -> None:
    archive = tar_of({"d/greet": b"#!/bin/sh\necho hello\n"})
    site.files = {ARCHIVE: archive, "/SUMS": f"{sum_of(archive)}  greet-1.0-linux.tar.gz\n".encode()}


def test_a_release_archive_with_its_published_checksum_is_installed(
    site: type[Site], toolchain: Path
) -> None:
    publish(site)
    set_up([recipe(release(site))], lambda line: None)
    greet = toolchain / "greet-1.0" / "bin" / "greet"
    assert os.access(greet, os.X_OK)
    assert [path.name for path in greet.parents[1].iterdir() if path.is_file()] == [".complete"]


def test_a_release_with_another_checksum_is_refused_and_leaves_nothing(
    site: type[Site], toolchain: Path
) -> None:
    publish(site, lambda content: "0" * 64)
    with pytest.raises(ToolchainError, match=r"greet 1\.0 .*SHA-256 is .* published is 0000"):
        set_up([recipe(release(site))], lambda line: None)
    assert not (toolchain / "greet-1.0").exists()
    publish(site)
    set_up([recipe(release(site))], lambda line: None)
    assert (toolchain / "greet-1.0" / ".complete").exists()


def test_a_release_that_is_not_there_gives_way_to_the_next_source(site: type[Site], toolchain: Path) -> None:
    publish(site)
    missing = Release((ReleaseFile(f"{site.url}/gone.tar.gz", f"{site.url}/GONE", {"greet": ""}),))
    message: list[str] = []
    set_up([recipe(missing, release(site))], message.append)
    assert (toolchain / "greet-1.0").exists()


def test_an_archive_without_the_program_names_it(site: type[Site], toolchain: Path) -> None:
    publish(site)
    wrong = Release((ReleaseFile(f"{site.url}{ARCHIVE}", f"{site.url}/SUMS", {"greet": "other/greet"}),))
    with pytest.raises(ToolchainError, match="has no file other/greet"):
        set_up([recipe(wrong)], lambda line: None)


def test_a_checksum_file_may_hold_a_bare_sum_or_lines_of_names() -> None:
    assert published_sha256("a" * 64, "x") == "a" * 64
    assert published_sha256(f"{'b' * 64} *dir/y\n{'c' * 64}  x\n", "x") == "c" * 64
    with pytest.raises(SourceUnavailable, match=r"no SHA-256 of z"):
        published_sha256(f"{'b' * 64}  x\n{'c' * 64}  y\n", "z")


def test_one_unreachable_host_ends_release_downloads_for_the_run(toolchain: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
    releases = [
        Recipe(
            f"tool{n}",
            "1",
            (f"tool{n}",),
            (Release((ReleaseFile(f"{dead}/{n}", f"{dead}/s", {f"tool{n}": ""}),)),),
        )
        for n in range(50)
    ]
    started = time.monotonic()
    with pytest.raises(ToolchainError, match=r"tool0 1 cannot be had: .*no release downloads from here"):
        set_up(releases, lambda line: None)
    assert time.monotonic() - started < 3


def test_a_program_on_path_is_used_when_its_version_fits(
    toolchain: Path, program: Callable[[str, str], Path]
) -> None:
    path = program("greet", "greet version v1.4.2")
    fits = OnPath((Installed("greet", ("--version",), lowest=(1, 4), below=(1, 5)),))
    (step,) = plan([recipe(fits)])
    assert (step.source, step.present) == ("PATH", False)
    set_up([recipe(fits)], lambda line: None)
    assert str(path) in (toolchain / "greet-1.0" / ".complete").read_text()


def test_a_program_that_goes_on_writing_at_home_after_its_answer_is_used_all_the_same(
    toolchain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    asked = folder / "greet"
    asked.write_text(
        "#!/bin/sh\nPATH=/usr/bin:/bin\nmkdir $HOME/local\nn=0\n"
        "files() { while test $n -lt $1; do n=$((n+1)); : > $HOME/local/$n; done; }\n"
        "files 2000\n(files 6000) >/dev/null 2>&1 &\necho v1.4.2\n"
    )
    asked.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("PATH", str(folder))
    fits = OnPath((Installed("greet", ("--version",), lowest=(1, 4), below=(1, 5)),))
    set_up([recipe(fits)], lambda line: None)
    assert str(asked) in (toolchain / "greet-1.0" / ".complete").read_text()


def test_go_leaves_nothing_behind_when_it_is_asked_for_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if shutil.which("go") is None:
        pytest.skip("no go on PATH")
    monkeypatch.setenv("CORRAL_TOOLCHAIN", str(tmp_path / "toolchain"))
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(nowhere))
    plan([GO])
    time.sleep(0.3)
    assert list(nowhere.iterdir()) == []


def test_a_program_on_path_of_another_version_is_passed_over(
    toolchain: Path, program: Callable[[str, str], Path]
) -> None:
    program("greet", "greet version v1.5.0")
    expected = OnPath((Installed("greet", ("--version",), lowest=(1, 4), below=(1, 5)),))
    with pytest.raises(ToolchainError, match=r"is 1\.5\.0, not 1\.4 or newer, below 1\.5"):
        set_up([recipe(expected)], lambda line: None)


def test_programs_of_the_toolchain_itself_do_not_count_as_installed(
    toolchain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = toolchain / "greet-0.9" / "bin"
    own.mkdir(parents=True)
    (own / "greet").write_text("#!/bin/sh\n")
    (own / "greet").chmod(0o755)
    monkeypatch.setenv("PATH", str(own))
    with pytest.raises(ToolchainError, match="no greet on PATH"):
        set_up([recipe(OnPath((Installed("greet"),)))], lambda line: None)


def test_every_release_of_the_toolchain_is_pinned_and_verified() -> None:
    releases = [source for tool in TOOLS for source in tool.sources if isinstance(source, Release)]
    assert releases
    for source in releases:
        for file in source.files:
            assert file.url.startswith("https://")
            assert file.checksums.startswith("https://")
            assert "latest" not in file.url
