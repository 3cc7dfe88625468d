"""The page of models: fresh, or written anew."""

from pathlib import Path

import pytest

from corral.stacks.reports import models_page


def test_the_page_of_models_is_fresh():
    assert not models_page.stale(), "run: python -m corral.stacks.reports.models_page --write"


def test_a_stale_page_of_models_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(models_page, "ROOT", tmp_path)
    monkeypatch.setattr(models_page, "PAGE", tmp_path / "docs" / "m.md")
    assert models_page.main(["--check"]) == 1
    assert "docs/m.md: stale" in capsys.readouterr().out
    assert not (tmp_path / "docs").exists(), "check writes nothing"
    assert models_page.main(["--write"]) == 0
    assert models_page.main(["--check"]) == 0
