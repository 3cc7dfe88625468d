"""How long a container that keeps ending waits before it starts again: the kubelet's rule."""

import os

FIRST_SECONDS = 10.0
LONGEST_SECONDS = 300.0
RESET_SECONDS = 600.0


def first() -> float:
    """Pause after the second early end, in seconds; `CORRAL_NODE_BACKOFF` shortens it for tests."""
    return float(os.environ.get("CORRAL_NODE_BACKOFF") or FIRST_SECONDS)


def next_level(level: int, lasted: float) -> int:
    """Level of the next run, after one of this level that lasted so many seconds."""
    return 0 if lasted >= RESET_SECONDS else level + 1


def pause(level: int, unit: float = FIRST_SECONDS) -> float:
    """Seconds to wait before a run of this level: the first restart is at once.

    >>> [pause(level) for level in (0, 1, 2, 3, 9)]
    [0.0, 0.0, 10.0, 20.0, 300.0]
    """
    return 0.0 if level < 2 else min(unit * 2.0 ** (level - 2), LONGEST_SECONDS)
