"""Programs, Python environments and charts of the embedded platform: how they get here, where they are."""

from corral.embedded.toolchain.errors import ToolchainError, ToolMissing
from corral.embedded.toolchain.lookup import chart, postgres_bin, programs_path, python_env, tool, wheels
from corral.embedded.toolchain.setup import Step, chosen, damaged, ensure, needed, plan, plan_lines

__all__ = [
    "Step",
    "ToolMissing",
    "ToolchainError",
    "chart",
    "chosen",
    "damaged",
    "ensure",
    "needed",
    "plan",
    "plan_lines",
    "postgres_bin",
    "programs_path",
    "python_env",
    "tool",
    "wheels",
]
