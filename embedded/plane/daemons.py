"""The plane's own daemons: the process node and the driver of the simulated hardware."""

import sys

from corral.embedded.home import PlaneHome
from corral.embedded.plane.control import Program

MODULES = {"node": "corral.embedded.node", "hardware": "corral.embedded.hardware"}


def daemons(home: PlaneHome) -> list[Program]:
    """In starting order."""
    return [
        Program(
            name=name,
            argv=[sys.executable, "-P", "-m", module, "--home", str(home.root)],
            cwd=home.root,
            log=home.logs / f"{name}.log",
        )
        for name, module in MODULES.items()
    ]
