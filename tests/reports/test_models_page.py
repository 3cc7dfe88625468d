"""The pages of the catalogue's models and GPUs are what the catalogue says."""

import pytest

from corral.catalogue.gpus import gpus
from corral.catalogue.models import models
from corral.stacks.reports import gpus_page, models_page, pages

PAGES = pytest.mark.parametrize("page", [models_page, gpus_page], ids=["models", "gpus"])


@PAGES
def test_the_page_is_fresh(page):
    assert not pages.stale(page.PAGE, page.table()), f"run: python -m {page.__name__} --write"


@PAGES
def test_a_stale_page_is_said_and_written(page, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(page, "PAGE", tmp_path / "docs" / "m.md")
    assert page.main(["--check"]) == 1
    assert page.main(["--write"]) == 0
    assert page.main(["--check"]) == 0
    assert capsys.readouterr().out == "docs/m.md: stale\ndocs/m.md: written\n"


@pytest.mark.parametrize(("page", "keys"), [(models_page, models()), (gpus_page, gpus())])
def test_a_page_has_a_row_for_each_entry(page, keys):
    rows = [line for line in page.table().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(keys)
