"""Pages of the catalogue: fresh, or written anew."""

from pathlib import Path
from types import ModuleType

import pytest

from corral.catalogue.gpus import gpus
from corral.catalogue.models import models
from corral.stacks.reports import addons_page, gpus_page, models_page


@pytest.mark.parametrize("page", [addons_page, gpus_page, models_page], ids=lambda page: page.PAGE.name)
def test_a_page_of_the_catalogue_is_fresh(page: ModuleType):
    assert not page.stale(), f"run: python -m {page.__name__} --write"


@pytest.mark.parametrize("page", [addons_page, gpus_page, models_page], ids=lambda page: page.PAGE.name)
def test_a_stale_page_is_found_and_written(
    page: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "docs" / "m.md")
    assert page.main(["--check"]) == 1
    assert "docs/m.md: stale" in capsys.readouterr().out
    assert not (tmp_path / "docs").exists(), "check writes nothing"
    assert page.main(["--write"]) == 0
    assert page.main(["--check"]) == 0


@pytest.mark.parametrize(("page", "keys"), [(models_page, models()), (gpus_page, gpus())])
def test_a_page_has_a_row_for_each_entry(page: ModuleType, keys: dict[str, object]):
    rows = [line for line in page.table().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(keys)
