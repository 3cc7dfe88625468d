"""Amounts of memory, and quantities as Kubernetes reads and writes them."""

from decimal import Decimal

import pytest

from corral.catalogue.quantities import GIB, amount, gib, gibibytes, mebibytes, mib


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5Gi", 5 * 2**30),
        ("500M", 500_000_000),
        ("1e3", 1000),
        ("128", 128),
        ("0.5Ki", 512),
        ("2k", 2000),
        ("100m", Decimal("0.1")),
    ],
)
def test_quantities_mean_what_kubernetes_says(text, size):
    assert amount(text) == size


def test_thousandths_are_exact():
    assert amount("100m") == Decimal("0.1")


@pytest.mark.parametrize("text", ["", "5 Gi", "Gi", "5gi", "-"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="is no quantity"):
        amount(text)


def test_a_whole_number_of_gibibytes_is_written_as_the_api_server_writes_it():
    assert [mebibytes(count) for count in (4864, 16384, 1024 * 1024)] == ["4864Mi", "16Gi", "1Ti"]


def test_amounts_are_shown_in_the_unit_that_is_meant():
    assert (gib(19.5 * GIB), mib(GIB)) == ("19.5 GiB", "1024 MiB")
    assert (gibibytes("2Ti"), gibibytes("50Gi")) == (2048, 50)
