"""`corral kubectl …`: kubectl on the plane's cluster."""

import argparse
import os
from collections.abc import Sequence
from itertools import pairwise

from corral.cli.errors import UsageError
from corral.cli.running import started
from corral.embedded.toolchain import tool


def kubectl(arguments: argparse.Namespace) -> int:
    _refuse_stack(arguments.arguments)
    plane = started(arguments.stack)
    program = str(tool("kubectl"))
    # Its cache would else go to the user's own ~/.kube.
    private = {"KUBECONFIG": str(plane.kubeconfig), "KUBECACHEDIR": str(plane.run / "kubectl")}
    environment = {**os.environ, **private}
    os.execve(program, ["kubectl", *arguments.arguments], environment)


def _refuse_stack(arguments: Sequence[str]) -> None:
    """Refuse a stack among kubectl's own arguments, where `-s` names a server."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for option, value in pairwise(own):
        if option in ("-s", "--stack") and "://" not in value:
            raise UsageError(f"{option} {value}: the stack is named first, `corral -s {value} kubectl …`")
