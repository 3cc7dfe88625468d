"""Arguments of every component with one value that is wrong: one line or more, and nothing is registered."""

import importlib
import pkgutil
from typing import Any, get_args, get_origin, is_typeddict

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stacks.any_stack import WILD, bounded
from tests.stacks.lines import told

from corral import components
from corral.components._args import ArgsError, checked, hints_of


def shapes() -> list[Any]:
    """The arguments of every component."""
    found: dict[str, Any] = {}
    for module in pkgutil.walk_packages(components.__path__, f"{components.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if is_typeddict(value) and value.__name__.endswith("Args"):
                found[value.__name__] = value
    return [found[name] for name in sorted(found)]


SHAPES = shapes()


class Foreign:
    """A value of a type that nothing takes."""

    def __repr__(self) -> str:
        return "foreign"


JUNK: st.SearchStrategy[Any] = st.one_of(
    WILD,
    st.builds(Foreign),
    st.just({"name": {"name": []}}),
    st.lists(WILD, max_size=2),
    st.dictionaries(st.text(max_size=4), WILD, max_size=2),
)


def test_there_is_a_shape_for_every_component():
    assert len(SHAPES) >= 15


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
@bounded(8)
@given(data=st.data())
def test_a_wrong_value_is_refused_in_lines_that_name_it(shape: Any, data: st.DataObject):
    keys = sorted(hints_of(shape)) or ["anything"]
    args = {
        key: data.draw(JUNK) for key in data.draw(st.lists(st.sampled_from(keys), unique=True, min_size=1))
    }
    try:
        checked(args, shape, "mine")
    except ArgsError as error:
        lines = str(error).split("\n")
        told(lines)
        assert all("mine" in line for line in lines), lines
    else:
        assert set(shape.__required_keys__) <= set(args)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_foreign_object_is_refused_for_every_key(shape: Any):
    """Every key has a type of its own: what is of no type at all never passes."""
    passed = [
        key
        for key, hint in hints_of(shape).items()
        if not _free(hint) and not _refused({key: Foreign()}, shape, key)
    ]
    assert passed == []


def _free(hint: Any) -> bool:
    """Whether any object may be there: `Any`, and resources that only Pulumi can look into."""
    members = get_args(hint) if get_origin(hint) is not None and not is_typeddict(hint) else (hint,)
    return any(one is Any or (isinstance(one, type) and issubclass(one, pulumi.Resource)) for one in members)


def _refused(args: dict[str, Any], shape: Any, key: str) -> bool:
    try:
        checked(args, shape, "mine")
    except ArgsError as error:
        return any(line.startswith(f"mine.{key}") for line in str(error).split("\n"))
    return False
