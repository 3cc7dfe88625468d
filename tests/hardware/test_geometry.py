"""Which slices fit on one GPU, judged by counts that NVIDIA's tables imply."""

import itertools
from collections import Counter

import pytest

from corral.embedded.hardware.geometry import SHAPES, Impossible, place


@pytest.fixture
def a100(inventory):
    return inventory.products["A100-40GB"]


def overlap(placed):
    spans = [range(p.start, p.start + p.size) for p in placed]
    return any(set(one) & set(two) for one, two in itertools.combinations(spans, 2))


@pytest.mark.parametrize(
    "expected",
    [
        {"1g.5gb": 7},
        {"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 2},
        {"4g.20gb": 1, "3g.20gb": 1},
        {"3g.20gb": 2},
        {"2g.10gb": 3, "1g.5gb": 1},
        {"1g.10gb": 4},
        {"1g.10gb": 3, "1g.5gb": 2},
        {"7g.40gb": 1},
        {"1g.5gb+me": 1, "1g.5gb": 6},
        {"4g.20gb": 1, "1g.10gb": 1, "1g.5gb": 1},
    ],
)
def test_a_possible_layout_has_places_that_nvidia_allows(a100, expected):
    placed = place(a100, expected)
    assert Counter(p.profile for p in placed) == Counter(expected)
    assert not overlap(placed)
    for p in placed:
        shape = SHAPES[7][a100.profiles[p.profile].shape]
        assert p.start in shape.starts
        assert p.size == shape.memory


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"1g.5gb": 8}, "8 x 1g.5gb: allowed: 1 to 7"),
        ({"1g.5gb": 0}, "0 x 1g.5gb: allowed: 1 to 7"),
        ({"4g.20gb": 2}, "2 x 4g.20gb: allowed: 1 to 1"),
        ({"3g.20gb": 2, "1g.5gb": 1}, "does not fit into the memory slices"),
        ({"4g.20gb": 1, "3g.20gb": 1, "1g.5gb": 1}, "takes 8 compute slices of 7"),
        ({"1g.10gb": 4, "1g.5gb": 1}, "does not fit into the memory slices"),
        ({"1g.10gb+me": 1}, "no profile '1g.10gb+me'; allowed: 1g.5gb,"),
    ],
)
def test_an_impossible_layout_says_why(a100, expected, message):
    with pytest.raises(Impossible) as refusal:
        place(a100, expected)
    assert message in str(refusal.value)


def test_a_name_means_another_slice_on_another_product(inventory):
    assert len(place(inventory.products["A100-80GB"], {"1g.10gb": 7})) == 7
    with pytest.raises(Impossible):
        place(inventory.products["A100-40GB"], {"1g.10gb": 7})


def test_a_product_without_mig_has_no_slices(inventory):
    with pytest.raises(Impossible, match="NVIDIA L40S has no MIG"):
        place(inventory.products["L40S"], {"1g.5gb": 1})


def placements(product, skip):
    """Every set of (profile, start) that keeps memory slices apart and stays within compute and maximum."""
    shapes = {p: SHAPES[product.compute_slices][row.shape] for p, row in product.profiles.items()}
    choices = [(p, start) for p, shape in shapes.items() if product.profiles[p].shape not in skip
               for start in shape.starts]  # fmt: skip
    result = [frozenset()]
    for choice in choices:
        result += [{*old, choice} for old in result if _fits({*old, choice}, shapes, product.compute_slices)]
    return {frozenset(each) for each in result}


def _fits(placement, shapes, compute):
    taken = [slot for p, start in placement for slot in range(start, start + shapes[p].memory)]
    counts = Counter(p for p, _ in placement)
    return (
        len(taken) == len(set(taken))
        and sum(shapes[p].compute for p, _ in placement) <= compute
        and all(count <= shapes[p].most for p, count in counts.items())
    )


def maximal(result):
    return {one for one in result if not any(one < other for other in result)}


def multiset(placement):
    return tuple(sorted(Counter(p for p, _ in placement).items()))


@pytest.mark.parametrize(
    ("name", "skip", "valid", "most", "kinds"),
    [
        ("A100-40GB", {"1g+me", "1g-double"}, 298, 19, 14),
        ("A100-40GB", {"1g+me"}, 723, 78, 38),
        ("H100-80GB", {"1g+me"}, 723, 78, 38),
        ("A30", set(), None, 5, 4),
    ],
)
def test_the_tables_allow_as_many_layouts_as_nvidias_do(inventory, name, skip, valid, most, kinds):
    result = placements(inventory.products[name], skip)
    assert valid in (None, len(result))
    assert len(maximal(result)) == most
    assert len({multiset(placement) for placement in maximal(result)}) == kinds


@pytest.mark.parametrize("name", ["A100-40GB", "A30"])
def test_a_place_is_found_exactly_when_there_is_one(inventory, name):
    product = inventory.products[name]
    possible = {multiset(placement) for placement in placements(product, ())} - {()}
    profiles = list(product.profiles)
    most = [SHAPES[product.compute_slices][product.profiles[p].shape].most for p in profiles]
    for counts in itertools.product(*(range(n + 1) for n in most)):
        expected = {p: n for p, n in zip(profiles, counts, strict=True) if n}
        try:
            placed = bool(place(product, expected))
        except Impossible:
            placed = False
        assert placed == (tuple(sorted(expected.items())) in possible), expected
