"""Programs of a plane's node in a simulated Google Cloud: our tools, for which it is on this machine.

On GKE the name of Cloud Storage leads there within Google's network, and each node has the metadata server at
an address of its own, which knows a pod by its address. Neither leads anywhere here: by the variables that
Google's own clients know, the tools find the test's servers, and the node says which pod asks.
"""

import os
from dataclasses import replace
from urllib.parse import quote

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec
from corral.embedded.node.programs import tools

STORAGE, METADATA = "CORRAL_SIMULATED_STORAGE", "CORRAL_SIMULATED_METADATA"


def launch(context: Context) -> Launch:
    """Our tools, where Google Cloud is the test's."""
    made = tools.launch(context)
    pod = quote(f"{context.namespace}/{context.pod}", safe="")
    here = {
        "STORAGE_EMULATOR_HOST": os.environ[STORAGE],
        "GCE_METADATA_HOST": f"{pod}@{os.environ[METADATA]}",
    }
    return replace(made, env={**made.env, **here})


TABLE = (ProgramSpec("corral-tools (simulated Google Cloud)", tools.IMAGE, launch, "tests/providers/gcp"),)
