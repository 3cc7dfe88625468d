"""Amounts of memory, and Kubernetes quantities: `500M`, `5Gi`, `250m`."""

import re
from decimal import Decimal

MIB, GIB = 1 << 20, 1 << 30
FACTORS = {
    "": 1,
    "m": Decimal("0.001"),
    **{unit: 1000 ** (power + 1) for power, unit in enumerate(("k", "M", "G", "T", "P", "E"))},
    **{unit: 1024 ** (power + 1) for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))},
}
QUANTITY = re.compile(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


def amount(quantity: str) -> Decimal:
    """The number that a Kubernetes quantity stands for.

    >>> amount("5Gi"), amount("1e3"), amount("0.5k")
    (Decimal('5368709120'), Decimal('1000'), Decimal('500.0'))

    Raises:
        ValueError: it is none.
    """
    match = QUANTITY.fullmatch(quantity)
    if match is None or match[2] not in FACTORS:
        raise ValueError(f"{quantity!r} is no quantity such as 500M or 5Gi")
    return Decimal(match[1]) * FACTORS[match[2]]


def mebibytes(count: int) -> str:
    """So many MiB, written as the API server writes them.

    >>> mebibytes(4864), mebibytes(16384)
    ('4864Mi', '16Gi')
    """
    units = iter(("Mi", "Gi", "Ti", "Pi"))
    unit = next(units)
    while count and count % 1024 == 0:
        count, unit = count // 1024, next(units)
    return f"{count}{unit}"


def gibibytes(quantity: str) -> int:
    """Whole GiB that a quantity holds.

    >>> gibibytes("2Ti")
    2048
    """
    return int(amount(quantity)) // GIB


def gib(size: float) -> str:
    """`size` bytes in GiB, one decimal: `19.5 GiB`."""
    return f"{size / GIB:.1f} GiB"


def mib(size: float) -> str:
    """`size` bytes in MiB: `512 MiB`."""
    return f"{size / MIB:.0f} MiB"
