"""The first preview of the stack on EKS, by the real engine: nothing of it is there yet."""

import json
import re
from pathlib import Path

import pytest
from tests.deploy.eks_stack import STACK, content, planned

programs = pytest.importorskip("tests.providers.programs", reason="there is no test provider of AWS")
server = pytest.importorskip("tests.providers.aws.server", reason="there is no test provider of AWS")

pytestmark = pytest.mark.engine

CHECKOUT = Path(__file__).resolve().parents[2]
PLATFORM = f"""
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
from tests.deploy.eks_stack import planned, resolved
from corral.stacks.deploy.program import Platform
made = planned()
with resolved():
    Platform(made)
"""


def test_the_first_preview_passes_with_charts_on_a_kubeconfig_that_is_not_known(tmp_path):
    config = {"corral:platform": json.dumps(content())}
    with server.provider() as (aws, port):
        stack = programs.Program(tmp_path, f"aws:{port}", stack=STACK, config=config)
        for key in planned().secrets_needed:
            stack.done("config", "set", "--secret", f"corral:{key}", "ab" * 32)
        stack.write(PLATFORM)
        shown = stack.done("preview", "--diff", "--json")
        steps = json.loads(shown[shown.index("{") :])["steps"]
        assert {step["op"] for step in steps} == {"create"}
        kinds = [re.sub(".*:", "", step["urn"].rpartition("::")[0]) for step in steps]
        assert {"EksCluster", "NodeGroup", "Release", "InferenceService"} <= set(kinds)
        assert kinds.count("Release") > 8
        assert {operation for operation, _ in aws.calls} <= {"check"}, "a preview makes nothing"
        assert stack.state() == []
