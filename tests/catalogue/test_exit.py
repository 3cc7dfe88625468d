"""The exit register against the types that components make, and what its entries say."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from corral.catalogue.charts import charts
from corral.catalogue.exit import Exit, ExitTest, Portability, exit_of, exits
from corral.components._recorded import recorded

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.stem)
def test_every_type_that_a_component_makes_is_in_the_register(example):
    types = {one.type for one in recorded(example) if not one.read and "helm.sh" not in one.type}
    assert types and {one for one in types if exit_of(one) is None} == set()


def test_every_chart_of_the_catalogue_is_in_the_register():
    assert [name for name in charts() if exit_of(f"chart:{name}") is None] == []


@pytest.mark.parametrize(
    ("token", "portability"),
    [
        ("aws:kms/key:Key", Portability.PROVIDER),
        ("gcp:container/nodePool:NodePool", Portability.PROVIDER),
        ("chart:gpu-operator", Portability.VENDOR),
        ("kubernetes:kueue.x-k8s.io/v1beta2:Cohort", Portability.PROJECT),
        ("kubernetes:resource.k8s.io/v1:DeviceClass", Portability.PORTABLE),
        ("kubernetes:core/v1:Secret", Portability.PORTABLE),
    ],
)
def test_a_type_is_as_far_bound_as_what_it_runs_on(token, portability):
    found = exit_of(token)
    assert found is not None and found.portability is portability


def test_a_type_that_nobody_has_described_is_in_no_entry():
    for token in ("aws:sagemaker/endpoint:Endpoint", "kubernetes:example.com/v1:Thing", "chart:unheard-of"):
        assert exit_of(token) is None


def test_what_is_not_portable_says_how_it_is_left():
    with pytest.raises(ValidationError, match="state replacement, export, tested and source"):
        Exit.model_validate({"name": "X", "types": ["x:*"], "portability": "vendor", "replacement": "y"})


def test_a_test_that_an_entry_names_is_there():
    named = [one.tested.by for one in exits().values() if isinstance(one.tested, ExitTest)]
    assert named
    for text in named:
        assert (ROOT / text.split()[0]).is_file(), text
