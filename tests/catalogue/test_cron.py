import pytest

from corral.catalogue.cron import problem

GOOD = [
    "* * * * *", "0 0 1 1 0", "59 23 31 12 6", "*/15 0-6,22-23 * * *", "5/10 * * * *",
    "0 3 * JAN-MAR mon,FRI", "0 0 ? * 1", "0 0 29 2 *", "0 0 31 2 MON", "@daily", "@hourly",
]  # fmt: skip
BAD = [
    "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *",
    "* * * 0 *", "* * * * 7", "*/0 * * * *", "5-1 * * * *", "a * * * *", "1,,2 * * * *", "-1 * * * *",
    "* * * * MONDAY",
    "@reboot", "@every 1h", "TZ=UTC 0 0 * * *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "1-2-3 * * * *",
]  # fmt: skip


@pytest.mark.parametrize("schedule", GOOD)
def test_a_schedule_of_a_cron_job_has_no_problem(schedule: str):
    assert problem(schedule) is None


@pytest.mark.parametrize("schedule", BAD)
def test_what_kubernetes_refuses_or_never_runs_is_a_problem(schedule: str):
    assert "use" in (problem(schedule) or "")
