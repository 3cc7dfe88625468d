"""Supervision on a full disk, with programs that are shell commands."""

import asyncio
import errno
import os
import signal

import pytest

from corral.embedded.home import PlaneHome
from corral.embedded.plane import supervisor
from corral.embedded.plane.control import Program
from corral.embedded.plane.state import PlaneState


@pytest.fixture
def plane(tmp_path, monkeypatch):
    home = PlaneHome(tmp_path / "dev")
    program = Program("etcd", ("sleep", "4711.25"), tmp_path, home.logs / "etcd.log")
    monkeypatch.setattr(supervisor, "programs", lambda _home: [program])
    monkeypatch.setattr(supervisor, "daemons", lambda _home: [])
    monkeypatch.setattr(supervisor, "SAVE_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "SPACE_INTERVAL_SECONDS", 0.05)
    return home


async def until(true):
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def supervise(plane, work):
    async def main():
        keeping = supervisor.Supervisor(plane, None, lambda _line: None)
        [keeper] = keeping._control.values()
        task = asyncio.create_task(keeper.run())
        try:
            await until(lambda: keeper.state.process)
            await work(keeper, task)
        finally:
            task.cancel()
            if keeper.state.process:
                os.kill(keeper.state.process.pid, signal.SIGKILL)

    asyncio.run(main())


def test_a_state_that_cannot_be_written_ends_no_supervision_and_is_written_later(plane, monkeypatch, capfd):
    save = PlaneState.save
    full = True

    def sometimes(state, home):
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(state, home)

    monkeypatch.setattr(PlaneState, "save", sometimes)

    async def work(keeper, task):
        nonlocal full
        first = keeper.state.process
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: keeper.state.process not in (None, first))
        assert not task.done()
        full = False
        await until(lambda: PlaneState.load(plane).programs)
        assert PlaneState.load(plane).programs["etcd"].process == keeper.state.process

    supervise(plane, work)
    assert "No space left" in capfd.readouterr().err


def test_a_program_that_ended_on_a_full_disk_starts_once_there_is_space(plane, monkeypatch):
    left = 2**40
    monkeypatch.setattr(supervisor, "_free", lambda _folder: left)

    async def work(keeper, task):
        nonlocal left
        first, left = keeper.state.process, 0
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: keeper.state.phase == "waiting")
        assert "free space" in keeper.state.note
        await asyncio.sleep(0.2)
        assert keeper.state.process is None
        left = 2**40
        await until(lambda: keeper.state.process)
        assert keeper.state.phase == "running"
        assert not task.done()

    supervise(plane, work)
