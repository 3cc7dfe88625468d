"""How the simulated GPUs are cut at the moment. Like real ones, they keep it when the driver restarts."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from corral.embedded.hardware.geometry import Placed
from corral.embedded.hardware.inventory import Inventory
from corral.embedded.hardware.mig_parted import Layout
from corral.embedded.home import write_private


class GpuLayouts:
    """The layout of each GPU of each machine, in one file; MIG is off on a new GPU."""

    def __init__(self, file: Path, inventory: Inventory) -> None:
        self._file = file
        stored = _read(file)
        self._layouts = {
            machine.name: {
                gpu: _layout(stored.get(machine.name, {}).get(str(gpu))) for gpu in range(machine.gpus)
            }
            for machine in inventory.machines
        }

    def of(self, machine: str) -> Mapping[int, Layout]:
        """Layout by index of each GPU."""
        return self._layouts[machine]

    def change(self, machine: str, layouts: Mapping[int, Layout]) -> None:
        """Change the layout of some GPUs of a machine."""
        self._layouts[machine] = {**self._layouts[machine], **layouts}
        content = {
            name: {str(gpu): None if s is None else [asdict(p) for p in s] for gpu, s in gpus.items()}
            for name, gpus in self._layouts.items()
        }
        write_private(self._file, json.dumps(content, indent=1) + "\n")


def _read(file: Path) -> dict[str, dict[str, Any]]:
    return cast(dict[str, dict[str, Any]], json.loads(file.read_text())) if file.exists() else {}


def _layout(stored: Any) -> Layout:
    return None if stored is None else tuple(Placed(**part) for part in cast(list[dict[str, Any]], stored))
