"""Helm and kubectl of the toolchain."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
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


def kubectl_done(kubeconfig: Path, *arguments: object, stdin: str = "", enter: Sequence[str] = ()) -> str:
    """What kubectl prints, run by command `enter`; a failure is an AssertionError."""
    done = _run(*enter, toolchain.tool("kubectl"), "--kubeconfig", kubeconfig, *arguments, stdin=stdin)
    assert done.returncode == 0, f"kubectl {' '.join(map(str, arguments))}: {done.stderr}"
    return done.stdout


def answer_of(kubectl: Callable[..., str], namespace: str, model: str) -> str:
    """What a model says to a greeting, by way of the API server."""
    path = f"/api/v1/namespaces/{namespace}/services/{model}-predictor:80/proxy/v1/chat/completions"
    request = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
    response = kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(request))
    return json.loads(response)["choices"][0]["message"]["content"]


def _run(*command: object, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)], input=stdin, capture_output=True, text=True, check=False, timeout=300
    )
