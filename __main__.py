"""The Pulumi program: what the stack file wants, planned, built, and what came of it."""

import pulumi

from corral.stacks.load import load
from corral.stacks.planner import plan
from corral.stacks.platform import Platform
from corral.stacks.problems import StackErrors

try:
    platform = Platform(plan(load(), pulumi.get_stack()))
except StackErrors as wrong:
    raise pulumi.RunError(str(wrong)) from None

for name, value in platform.outputs.items():
    pulumi.export(name, value)
