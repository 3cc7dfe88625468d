"""Our own tools image: the checkout's commands under the node's Python."""

import sys

from corral.embedded.node.programs import installed
from corral.embedded.node.programs.flags import arguments
from corral.embedded.node.row import Context, Launch, Row

IMAGE = "corral/tools"


def launch(context: Context) -> Launch:
    """`corral import …` and `corral bucket …`; model packages come from the toolchain, without a network."""
    given = arguments(context, IMAGE, "corral")
    wheels = installed.packages()
    return Launch(
        [sys.executable, "-m", "corral.tools", *given],
        {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PYTHONDONTWRITEBYTECODE": "1"},
        (*installed.this_python(), wheels),
    )


ROWS = (Row("corral-tools", IMAGE, launch, "tools/ of this repository"),)
