"""Every control, once."""

from corral.controls.control import Control
from corral.controls.cost.rules import CONTROLS as COST
from corral.controls.keys.rules import CONTROLS as KEYS
from corral.controls.models.rules import CONTROLS as MODELS
from corral.controls.network.rules import CONTROLS as NETWORK
from corral.controls.operations.rules import CONTROLS as OPERATIONS
from corral.controls.residency.rules import CONTROLS as RESIDENCY
from corral.controls.supply.rules import CONTROLS as SUPPLY

CONTROLS: tuple[Control, ...] = (*RESIDENCY, *KEYS, *NETWORK, *MODELS, *SUPPLY, *OPERATIONS, *COST)
_BY_ID = {found.id: found for found in CONTROLS}


def control(identity: str) -> Control:
    """The control called `identity`.

    Raises:
        ValueError: no such control.
    """
    if identity not in _BY_ID:
        raise ValueError(f"control {identity!r}: one of {', '.join(sorted(_BY_ID))}")
    return _BY_ID[identity]
