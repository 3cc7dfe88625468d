"""The platform's objects, printed by `helm template` and applied by `kubectl apply --server-side`.

A peer of the engine: it awaits nothing, keeps no state, evaluates no policy and makes nothing in an order.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from bench.figures import Figure
from bench.processes import run
from bench.whole import STACK, Session, phases, session
from corral.catalogue.helm import Rendering, documents, template
from corral.cli.deploy import engine_of
from corral.embedded import toolchain

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key by which Pulumi's state marks a value as special: sdk/go/common/resource/sig of Pulumi."""
RELEASE = "kubernetes:helm.sh/v3:Release"
HOOK = "helm.sh/hook"
FIRST = ("Namespace", "CustomResourceDefinition")
ROUNDS = 60
PAUSE = 1
"""Seconds between two rounds, while a type or a webhook is not served yet."""

Objects = Sequence[Mapping[str, Any]]


def engine() -> Iterator[Figure]:
    """`up` and `up` without a change, beside the same objects by Helm and kubectl, on a plane of each."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as scratch:
        file = Path(scratch) / "objects.json"
        with session() as own:
            _, shown = own.corral("up")
            first = dict(phases(shown))["update"]
            again, _ = own.corral("up")
            told = run([sys.executable, "-m", "bench.applied", str(file)], own.environment).out
            rendering, count = json.loads(told.splitlines()[-1])
            taken, _ = applied(kubectl(own), file, "--dry-run=server")
            peer = f"helm template and kubectl apply of {count} objects"
            yield Figure("up, nothing to change", again, "s", f"{peer}, dry", rendering + taken)
        with session() as other:
            other.corral("up", "--plane-only")
            taken, rounds = applied(kubectl(other), file)
            yield Figure("engine of an up from nothing", first, "s", peer, rendering + taken)
            yield Figure("rounds of kubectl apply until all are taken", rounds, "")


def resources(stack: str) -> Objects:
    """What the state of `stack` has of Kubernetes, with its secrets."""
    engine = engine_of(stack)
    done = subprocess.run(
        ["pulumi", "stack", "export", "--show-secrets", "--stack", stack, "--non-interactive"],
        cwd=engine.project,
        env=engine.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return of_kubernetes(json.loads(done.stdout)["deployment"]["resources"])


def of_kubernetes(state: Objects) -> Objects:
    """What a state has of Kubernetes."""
    return [one for one in state if one["type"].startswith("kubernetes:")]


def own(state: Objects) -> Iterator[Mapping[str, Any]]:
    """Objects that Pulumi made itself, as the program states them."""
    for one in state:
        kind = one["type"].rpartition(":")[2]
        if not one.get("external") and not kind.endswith("Patch") and "kind" in one["inputs"]:
            yield cast("Mapping[str, Any]", _plain(one["inputs"]))


def releases(state: Objects) -> Iterator[Rendering]:
    """Its Helm releases, as Helm takes them."""
    for one in state:
        if one["type"] == RELEASE:
            inputs = cast("Mapping[str, Any]", _plain(one["inputs"]))
            yield Rendering(
                inputs["chart"],
                inputs["name"],
                inputs["namespace"],
                json.dumps(inputs.get("values", {})),
                version=inputs.get("version", ""),
                definitions=not inputs.get("skipCrds", False),
            )


def _plain(value: Any) -> Any:
    """`value` without marks of secrets and Pulumi's own keys."""
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    known = cast("dict[str, Any]", value)
    if SIGNATURE in known:
        return _plain(json.loads(known["plaintext"]))
    return {key: _plain(one) for key, one in known.items() if key != "__defaults"}


def printed(state: Objects, file: Path) -> tuple[float, int]:
    """Write all objects to `file`; seconds of `helm template`, and how many there are."""
    begun = time.monotonic()
    helm = toolchain.tool("helm")
    charts = [(one.namespace, template(one, helm)) for one in releases(state)]
    seconds = time.monotonic() - begun
    of_charts = [
        _placed(one, namespace)
        for namespace, text in charts
        for one in documents(text, lambda _: True)
        # Those of a removal would be applied, too.
        if HOOK not in (one["metadata"].get("annotations") or {})
    ]
    every = sorted(
        [*own(state), *of_charts],
        key=lambda one: FIRST.index(one["kind"]) if one["kind"] in FIRST else len(FIRST),
    )
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": every}))
    return seconds, len(every)


def _placed(one: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    """An object of a chart where Helm puts it; the server ignores the namespace of what has none."""
    return {**one, "metadata": {"namespace": namespace, **one["metadata"]}}


def kubectl(own: Session) -> Sequence[str]:
    """kubectl of the plane of `own`, which keeps what it reads of its types there."""
    cache = f"--cache-dir={own.root / 'kubectl'}"
    return [str(toolchain.tool("kubectl")), cache, "--kubeconfig", str(own.plane.kubeconfig)]


def applied(kubectl: Sequence[str], file: Path, *more: str) -> tuple[float, int]:
    """Seconds and rounds of `kubectl apply --server-side` until the server has taken all objects of `file`.

    Raises:
        RuntimeError: it has not after all rounds; the text is the end of what kubectl said.
    """
    command = [*kubectl, "apply", "--server-side", "--force-conflicts", "-f", str(file), *more]
    begun = time.monotonic()
    for number in range(1, ROUNDS + 1):
        try:
            run(command)
        except RuntimeError:
            if number == ROUNDS:
                raise
            time.sleep(PAUSE)
        else:
            return time.monotonic() - begun, number
    raise AssertionError


if __name__ == "__main__":
    print(json.dumps(printed(resources(STACK), Path(sys.argv[1]))))
