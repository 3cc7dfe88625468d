import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location(
    "network_conftest", Path(__file__).parent.parent / "network" / "conftest.py"
)
network = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(network)
play = network.play


@pytest.fixture
def inventory():
    from corral.embedded.hardware import inventory

    return inventory.read(Path(inventory.__file__).with_name("inventory.yaml"))


@pytest.fixture
def drive(play, inventory, tmp_path):
    """Run a scene beside the driver; the machines' nodes exist when it begins."""

    from corral.embedded.hardware.driver import Driver

    def start(scene):
        async def ready(cluster):
            await cluster.until(lambda: len(cluster.all("/api/v1/nodes")) == 3)
            return await scene(cluster)

        return play(lambda api: Driver(api, inventory, tmp_path / "hardware.json").run(), ready)

    return start
