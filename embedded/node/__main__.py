"""`python -m corral.embedded.node --home FOLDER`: the process node of one plane, until SIGTERM."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from corral.embedded.home import PlaneHome
from corral.embedded.node.daemon import run
from corral.embedded.plane.record import NoPlane


async def main(home: PlaneHome) -> None:
    """Run until SIGTERM or SIGINT; the pods' processes go on."""
    task = asyncio.create_task(run(home))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="corral-node", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the plane's folder")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(main(PlaneHome(arguments.home.absolute())))
    except NoPlane as cause:
        sys.exit(str(cause))
