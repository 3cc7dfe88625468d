"""Files that are written whole."""

import os
from pathlib import Path

import pytest

from corral.catalogue.files import GeneratedFiles, replace


def test_a_file_is_replaced_at_once_and_leaves_nothing_beside_it(tmp_path: Path):
    page = tmp_path / "page"
    replace(page, "old")
    before = page.stat().st_ino
    replace(page, "new")
    assert page.read_text() == "new" and page.stat().st_ino != before
    assert list(tmp_path.iterdir()) == [page]


def test_a_file_that_says_the_same_is_not_touched(tmp_path: Path):
    page = tmp_path / "page"
    page.write_text("same")
    os.utime(page, (1, 1))
    replace(page, "same")
    assert page.stat().st_mtime == 1


def test_what_cannot_be_written_leaves_the_old_text_and_nothing_else(tmp_path: Path):
    folder = tmp_path / "page"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        replace(folder, "text")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_stale_file_is_named_and_written_on_demand(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    generated = GeneratedFiles("module", tmp_path, {tmp_path / "docs" / "m.md": lambda: "text"})
    assert generated.main(["--check"]) == 1
    assert "docs/m.md: stale" in capsys.readouterr().out
    assert not (tmp_path / "docs").exists(), "check writes nothing"
    assert generated.main(["--write"]) == 0
    assert "docs/m.md: written" in capsys.readouterr().out
    assert generated.main(["--check"]) == 0
    (tmp_path / "docs" / "m.md").write_text("text of somebody else")
    assert generated.main(["--check"]) == 1


def test_a_generated_text_may_need_a_file_that_is_written_before_it(tmp_path: Path):
    first, then = tmp_path / "first", tmp_path / "then"
    generated = GeneratedFiles("some.module", tmp_path, {first: lambda: "one", then: first.read_text})
    assert generated.main(["--write"]) == 0
    assert then.read_text() == "one" and generated.stale() == []
