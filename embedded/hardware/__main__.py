"""The driver of a plane's simulated machines: `python -m corral.embedded.hardware --home <folder>`."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from corral.embedded.hardware.driver import Driver
from corral.embedded.hardware.inventory import Inventory, InventoryError, read
from corral.embedded.home import PlaneHome
from corral.embedded.kube import Api
from corral.embedded.plane.record import NoPlane, PlaneRecord


def main() -> int:
    """Serve until SIGTERM or SIGINT; 2 when the plane's record or inventory is wrong."""
    parser = argparse.ArgumentParser(prog="corral.embedded.hardware", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of the plane")
    home = PlaneHome(parser.parse_args().home)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        inventory = read(Path(PlaneRecord.load(home).inventory))
        api = Api.connect(home.kubeconfig, user_agent="corral-hardware")
    except (NoPlane, InventoryError, OSError, ValueError) as cause:
        print(cause, file=sys.stderr)
        return 2
    asyncio.run(_serve(api, inventory, home.control / "hardware.json"))
    return 0


async def _serve(api: Api, inventory: Inventory, layouts_file: Path) -> None:
    task = asyncio.ensure_future(Driver(api, inventory, layouts_file).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        logging.info("stopped")
    finally:
        await api.aclose()


if __name__ == "__main__":
    sys.exit(main())
