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
