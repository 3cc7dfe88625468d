"""Processes known by pid and start time."""

import dataclasses
import os
import subprocess
import sys
import time

import pytest

from corral.embedded.plane.processes import Process, end, running

STUBBORN = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True)\n"
    "time.sleep(60)\n"
)


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_alive_until_it_ends(sleeper):
    process = Process.of(sleeper.pid)
    assert process is not None and process.alive
    end([process])
    assert not process.alive


def test_another_start_time_is_another_process(sleeper):
    other = dataclasses.replace(Process.of(sleeper.pid), start=1)
    assert not other.alive
    assert other.open() is None
    end([other])
    assert sleeper.poll() is None


def test_a_process_that_only_waits_to_be_reaped_counts_as_ended(sleeper):
    process = Process.of(sleeper.pid)
    sleeper.kill()
    descriptor = os.pidfd_open(sleeper.pid)
    os.waitid(os.P_PIDFD, descriptor, os.WEXITED | os.WNOWAIT)
    os.close(descriptor)
    assert Process.of(sleeper.pid) is None
    assert not process.alive


def test_one_that_ignores_sigterm_is_killed_after_the_grace():
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"ready\n"
        begin = time.monotonic()
        end([Process.of(child.pid)], grace=0.3)
        assert 0.3 <= time.monotonic() - begin < 5
        assert Process.of(child.pid) is None


def test_a_process_is_found_by_its_exact_arguments():
    with subprocess.Popen(["sleep", "61.25"]) as child:
        limit = time.monotonic() + 10
        # A program has no arguments yet for the moment in which it takes the place of another.
        while not (result := running(["sleep", "61.25"])) and time.monotonic() < limit:
            time.sleep(0.01)
        assert result == Process.of(child.pid)
        assert running(["sleep", "61.2"]) is None
        end([result])


def test_memory_of_a_process_is_its_resident_bytes(sleeper):
    limit = time.monotonic() + 10
    while Process.of(sleeper.pid).memory <= 100_000 and time.monotonic() < limit:
        time.sleep(0.01)
    assert 100_000 < Process.of(sleeper.pid).memory < 100_000_000
