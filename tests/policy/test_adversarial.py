"""The pack stops every bad entry of the adversarial set for the right reason, and refuses no good one."""

from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from tests.policy.adversarial import bad_clouds, bad_workloads, good_clouds, good_workloads
from tests.policy.adversarial.stacks import Entry, stopped


@pytest.mark.exhaustive
@pytest.mark.parametrize("entries", [bad_workloads.bad, bad_clouds.bad], ids=["workloads", "clouds"])
def test_every_bad_entry_is_stopped_by_the_control_that_it_breaks(
    entries: Callable[[], Iterator[Entry]],
) -> None:
    assert not (missed := missed_of(entries())), "\n".join(missed)


@pytest.mark.parametrize("entries", [bad_workloads.bad, bad_clouds.bad], ids=["workloads", "clouds"])
def test_a_twentieth_of_the_bad_entries_is_stopped_so(entries: Callable[[], Iterator[Entry]]) -> None:
    assert not (missed := missed_of(islice(entries(), 0, None, 20))), "\n".join(missed)


def missed_of(entries: Iterator[Entry]) -> list[str]:
    """A line for each of `entries` that its control does not stop."""
    return [
        f"{entry.title}: {entry.control}, not {sorted(found)}"
        for entry in entries
        if not (found := stopped(entry)) & set(entry.control.split("|"))
    ]


@pytest.mark.exhaustive
@pytest.mark.parametrize("entries", [good_workloads.good, good_clouds.good], ids=["workloads", "clouds"])
def test_no_good_entry_is_refused(entries: Callable[[], Iterator[Entry]]) -> None:
    refused = [f"{entry.title}: {sorted(found)}" for entry in entries() if (found := stopped(entry))]
    assert not refused, "\n".join(refused)
