"""Helm and kubectl of the toolchain."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corral.embedded import toolchain


def helm_template(
    name: str, folder: Path | str, values: Mapping[str, Any], *options: str, namespace: str = "default"
) -> str:
    """What Helm renders of the chart in `folder`; a refusal is an AssertionError that ends with its text."""
    command = [toolchain.tool("helm"), "template", name, folder, "--namespace", namespace, *options]
    done = _run(*command, "--values", "-", stdin=json.dumps(values))
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def kubectl(kubeconfig: Path, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return _run(toolchain.tool("kubectl"), "--kubeconfig", kubeconfig, *arguments, stdin=stdin)


def kubectl_done(kubeconfig: Path, *arguments: object, stdin: str = "") -> str:
    """What kubectl prints; a failure is an AssertionError."""
    done = kubectl(kubeconfig, *arguments, stdin=stdin)
    assert done.returncode == 0, f"kubectl {' '.join(map(str, arguments))}: {done.stderr}"
    return done.stdout


def _run(*command: object, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)], input=stdin, capture_output=True, text=True, check=False, timeout=300
    )
