"""The table of programs: which images run here as processes."""

from corral.embedded.node.programs import (
    cert_manager,
    kserve,
    kueue,
    kyverno,
    llama,
    postgres,
    seaweedfs,
    tools,
)
from corral.embedded.node.row import Omitted, Row, fits

TABLE: tuple[Row | Omitted, ...] = (
    *cert_manager.ROWS,
    *kserve.ROWS,
    *llama.ROWS,
    *seaweedfs.ROWS,
    *postgres.ROWS,
    *kyverno.ROWS,
    *kueue.ROWS,
    *tools.ROWS,
)


def find(image: str) -> Row | Omitted | None:
    """What the table says of an image, from any registry and with any tag or digest; None: nothing."""
    return next((entry for entry in TABLE if fits(entry.image, image)), None)
