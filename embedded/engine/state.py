"""The state of a stack, asked of the Pulumi that keeps it."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from corral.embedded.kube import Object

ERROR = "error: "
REMEDIES = {
    3: "name the backend of its state, by PULUMI_BACKEND_URL or `pulumi login URL`; see docs/state.md",
    6: "`pulumi stack init {stack}` makes it in the backend that is chosen; see docs/state.md",
}
"""By exit code of Pulumi (sdk/go/common/util/cmdutil/exitcodes.go): not logged in, and no such stack."""


class StateUnavailable(Exception):
    """The state of a stack cannot be had, in one line."""


def remedy(code: int, stack: str) -> str | None:
    """What to do where Pulumi ended with `code`; None: it has said so itself."""
    text = REMEDIES.get(code)
    return None if text is None else text.format(stack=stack)


def exported(pulumi: str, stack: str, folder: Path, environment: Mapping[str, str] | None = None) -> Object:
    """The state of `stack`, secrets in it encrypted; `folder`: that of Pulumi.yaml.

    Raises:
        StateUnavailable: Pulumi refuses.
    """
    done = subprocess.run(
        [pulumi, "stack", "export", "--stack", stack, "--non-interactive"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        way_out = remedy(done.returncode, stack) or _last_error(done.stderr or done.stdout)
        raise StateUnavailable(f"stack {stack}: its state cannot be read: {way_out}")
    return json.loads(done.stdout)


def _last_error(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    return (errors or lines or ["no message"])[-1]
