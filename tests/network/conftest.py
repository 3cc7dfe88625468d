import asyncio
import importlib.util
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("fake_cluster", Path(__file__).with_name("fake_cluster.py"))
fake_cluster = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fake_cluster)


@pytest.fixture
def play():
    """Run `scene(cluster)` beside `task(cluster.api)`; an error of either is the test's."""

    @asynccontextmanager
    async def beside(task):
        running = asyncio.create_task(task)
        try:
            yield running
        finally:
            running.cancel()
            done, _ = await asyncio.wait({running}, timeout=5)
            assert done, "the task must end when it is cancelled"
            if not running.cancelled() and running.exception() is not None:
                raise running.exception()

    def start(task, scene, seconds=30):
        async def whole():
            cluster = fake_cluster.FakeCluster()
            async with asyncio.timeout(seconds), beside(task(cluster.api)):
                return await scene(cluster)

        return asyncio.run(whole())

    return start
