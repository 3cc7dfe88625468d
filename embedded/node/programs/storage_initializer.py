"""Fetches models as KServe's storage initializer does: `storage_initializer.py SOURCE TARGET…`.

Runs under an environment of its own that has `kserve-storage` and nothing of ours.
"""

import importlib
import sys
from pathlib import Path
from typing import Any


def main(pairs: list[str]) -> None:
    """Fetch every source into the folder that follows it."""
    kserve_storage: Any = importlib.import_module("kserve_storage")
    importlib.import_module("kserve_storage.logging").configure_logging()
    sources, targets = pairs[::2], pairs[1::2]
    for target in targets:
        Path(target).mkdir(parents=True, exist_ok=True)
    kserve_storage.Storage.download_files(sources, targets)


if __name__ == "__main__":
    main(sys.argv[1:])
