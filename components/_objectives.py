"""Objectives over 30 days, and when what they allow is spent too fast.

Windows and rates: The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from collections.abc import Callable

from corral.components._signals import Alert

Rates = tuple[tuple[float, str, str], ...]
"""So many times as fast as the objective allows, over a long window and over a short one still."""
FAST: Rates = ((14.4, "1h", "5m"), (6, "6h", "30m"))
"""All is spent within two, or five, of the thirty days."""
SLOW: Rates = ((1, "3d", "6h"),)


def burning(name: str, what: str, missed: Callable[[str], str], allowed: float) -> list[Alert]:
    """Two alerts on an objective: `name` and `BudgetBurn`, and the same with `SlowBurn`.

    Args:
        what: misses the objective, to begin a sentence.
        missed: PromQL of the share that misses it, from 0 to 1, over a window.
        allowed: the share that may miss it.
    """
    return [
        {
            "name": f"{name}BudgetBurn",
            "expression": _spent(missed, allowed, FAST),
            "lasting": "2m",
            "severity": "critical",
            "summary": f"{what} so often that what is allowed in 30 days is spent within five",
        },
        {
            "name": f"{name}BudgetSlowBurn",
            "expression": _spent(missed, allowed, SLOW),
            "lasting": "15m",
            "severity": "warning",
            "summary": f"{what} more often, over three days, than is allowed",
        },
    ]


def _spent(missed: Callable[[str], str], allowed: float, rates: Rates) -> str:
    return " or ".join(
        f"({missed(long)} > {rate * allowed:g} and {missed(short)} > {rate * allowed:g})"
        for rate, long, short in rates
    )
