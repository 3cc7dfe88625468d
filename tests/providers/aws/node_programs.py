"""Programs of a plane's node in a simulated AWS: our tools, for which S3 and their agent are on this machine.

On EKS the name of S3's endpoint leads there by the VPC's gateway endpoint, and each node has the agent of Pod
Identity at an address of its own. Neither leads anywhere here, so the variables that have them are given the
addresses of the test's servers.
"""

import os
from dataclasses import replace

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec
from corral.embedded.node.programs import tools

ADDRESS = "CORRAL_SIMULATED_S3"
AGENT = "CORRAL_SIMULATED_AGENT"
SOURCE_REGION, SOURCE_ENDPOINT = "SOURCE_AWS_REGION", "SOURCE_AWS_ENDPOINT_URL_S3"
FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"


def launch(context: Context) -> Launch:
    """Our tools, where S3 is the test's."""
    made = tools.launch(context)
    env = context.env
    here = {
        name: os.environ[ADDRESS]
        for name, value in env.items()
        if name.endswith("AWS_ENDPOINT_URL_S3") and value.startswith("https://s3.")
    }
    if SOURCE_REGION in env and SOURCE_ENDPOINT not in env:
        # Without an endpoint a source is in AWS.
        here |= {SOURCE_ENDPOINT: os.environ[ADDRESS]}
    if TOKEN_FILE in env:
        here |= {FULL_URI: os.environ[AGENT], TOKEN_FILE: context.path(env[TOKEN_FILE])}
    return replace(made, env={**made.env, **here})


TABLE = (ProgramSpec("corral-tools (simulated S3)", tools.IMAGE, launch, "tests/providers/aws"),)
