"""Pages of the catalogue: fresh, or written anew."""

from types import ModuleType

import pytest

from corral.catalogue.gpus import gpus
from corral.catalogue.models import models
from corral.stacks.reports import gpus_page, models_page


@pytest.mark.parametrize(("page", "keys"), [(models_page, models()), (gpus_page, gpus())])
def test_a_page_has_a_row_for_each_entry(page: ModuleType, keys: dict[str, object]):
    rows = [line for line in page.table().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(keys)
