"""What `corral lock --models` reads of a LoRA adapter beside its files."""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from corral.catalogue.adapters import CONFIG, WEIGHTS
from corral.cli.console import progress
from corral.stacks.config.adapter_config import LockedLora, lora_of
from corral.stacks.config.errors import one_line

if TYPE_CHECKING:
    from corral.stacks.config.model_lock import LockedFile
    from corral.tools.sources import Source


def locked_lora(uri: str, source: "Source", files: "Sequence[LockedFile]") -> LockedLora:
    """What the configuration of the adapter at `uri`, opened as `source`, says; `files` are the locked ones.

    Raises:
        ToolFailure: the source cannot be read, a file is missing or has changed meanwhile, or vLLM does not
            serve it.
    """
    from corral.tools.failure import ToolFailure
    from corral.tools.sources import fetched

    sums = {one.name: one.sha256 for one in files}
    for name in (CONFIG, WEIGHTS):
        if name not in sums:
            reason = "an adapter has both beside each other, as PEFT writes them in safetensors"
            raise ToolFailure(f"{uri}: {name} is missing: {reason}")
    with tempfile.TemporaryDirectory(prefix="corral-adapter-") as scratch:
        fetched(source, CONFIG, Path(scratch), progress)
        content = (Path(scratch) / CONFIG).read_bytes()
    if hashlib.sha256(content).hexdigest() != sums[CONFIG]:
        raise ToolFailure(f"{uri}: {CONFIG} has changed meanwhile: lock it again")
    try:
        return lora_of(content.decode("utf-8", errors="replace"))
    except ValueError as error:
        raise ToolFailure(f"{uri}: {one_line(str(error))}") from None
