"""The Pulumi program: what the stack file wants, planned, built, and what came of it."""

import gc

import pulumi

from corral.stacks.config.errors import StackErrors
from corral.stacks.deploy.load import load, locked
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan

gc.set_threshold(50_000, 20, 50)  # Half a million objects of a cloud's SDK stay; see docs/dependencies.md.

try:
    platform = Platform(plan(load(), pulumi.get_stack(), locked()))
except StackErrors as wrong:
    raise pulumi.RunError(str(wrong)) from None

for name, value in platform.outputs.items():
    pulumi.export(name, value)
