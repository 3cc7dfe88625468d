"""What of the Pod Security Standards a cluster of ours refuses, beside Kyverno's own set in the same cluster.

Kyverno's set is read from a checkout of kyverno/policies that `KYVERNO_POLICIES` names; it denies, in
namespaces of its own, through Kyverno as the platform runs it. Ours are namespaces with the label that Corral
puts on them.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tests.controls.same_verdict.live import violations
from tests.door.pod_security import FIXTURES, debugged, pods

from bench.figures import Figure
from bench.gateway import Platform, platform
from bench.peers import LEVELS, kyverno_policies
from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon
from corral.controls.pods.pod_10 import ENFORCE

STACK: dict[str, Any] = {
    "sovereignty": {"profile": "open", "region": "embedded", "admission": {"scope": "namespaces"}},
    "cluster": {"kind": "embedded"},
    "gpu-pools": [{"name": "whole", "gpu": "A100-40GB", "nodes": {"names": ["whole-0"]}, "gpus-per-node": 1}],
    "models": [],
    "addons": {"observability": "off", "vector-db": "off"},
}
SPACE = descriptor(Addon.KYVERNO).namespace
PEER, OWN = "peer", "own"
MARKS = {OWN: "violates PodSecurity", PEER: f"{PEER}-"}
"""What a refusal by each says."""
NAME = "kubernetes.io/metadata.name"
SECONDS = 300
"""How long the webhook of the last policy may take to be served."""
PROBE: Mapping[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "probe"},
    "spec": {"hostNetwork": True, "containers": [{"name": "c", "image": "e/x"}]},
}

Said = Sequence[tuple[str, bool, str]]


def admitted() -> Iterator[Figure]:
    """What of the Pod Security Standards a cluster refuses, by our label and by Kyverno's own set."""
    checkout = Path(os.environ.get("KYVERNO_POLICIES", ""))
    if not (checkout / "pod-security-vpol").is_dir() or not FIXTURES.is_dir():
        reason = "KYVERNO_POLICIES names no checkout of kyverno/policies, or CORRAL_POD_SECURITY no test pods"
        print(f"  not measured: {reason}", file=sys.stderr)
        return
    with platform(STACK) as own:
        own.corral("up")
        _widen(own)
        own.corral("kubectl", "apply", "-f", str(_written(own, checkout)))
        _await(own)
        for level in LEVELS:
            for label, found in (("pods", list(pods(level))), ("debuggers", list(debugged(level)))):
                yield from _compared(own, level, label, found)


def _namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def held(policy: Mapping[str, Any], namespaces: Sequence[str]) -> dict[str, Any]:
    """`policy`, denying, in `namespaces` alone."""
    chosen = {"matchExpressions": [{"key": NAME, "operator": "In", "values": list(namespaces)}]}
    spec = policy["spec"]
    constraints = {**spec.get("matchConstraints", {}), "namespaceSelector": chosen}
    return {
        **policy,
        "metadata": {"name": f"{PEER}-{policy['metadata']['name']}-{len(namespaces)}"},
        "spec": {**spec, "matchConstraints": constraints, "validationActions": ["Deny"]},
    }


def _written(own: Platform, checkout: Path) -> Path:
    """A file with the namespaces of both, and the peer's policies."""
    objects = [_namespace(f"{OWN}-{level}", {ENFORCE: level}) for level in LEVELS]
    for index, level in enumerate(LEVELS):
        objects.append(_namespace(f"{PEER}-{level}", {}))
        chosen = [f"{PEER}-{one}" for one in LEVELS[index:]]
        objects += [held(policy, chosen) for policy in kyverno_policies(checkout, level)]
    file = own.plane.run / "peers.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return file


def _widen(own: Platform) -> None:
    """Have Kyverno asked about namespaces that did not opt into our policies, too; ours select their own."""
    system = {"key": NAME, "operator": "NotIn", "values": ["kube-system", SPACE]}
    selector = {"namespaceSelector": {"matchExpressions": [system]}}
    patch = json.dumps({"data": {"webhooks": json.dumps(selector)}})
    own.corral("kubectl", "patch", "configmap", "kyverno", "-n", SPACE, "--type", "merge", "-p", patch)


def _await(own: Platform) -> None:
    """Wait until the peer's policies of both levels hold."""
    end = time.monotonic() + SECONDS
    tried = [("probe", True, PROBE)]
    while not all(violations(own.plane.kubeconfig, f"{PEER}-{level}", tried)[0][2] for level in LEVELS):
        if time.monotonic() > end:
            raise RuntimeError(f"Kyverno's policies do not hold after {SECONDS} s")
        time.sleep(3)
    # The webhook names a policy before each of its replicas has compiled it.
    time.sleep(15)


def _compared(
    own: Platform, level: str, label: str, found: Sequence[tuple[str, bool, Mapping[str, Any]]]
) -> Iterator[Figure]:
    ours, theirs = (
        errors(who, violations(own.plane.kubeconfig, f"{who}-{level}", found)) for who in (OWN, PEER)
    )
    bad = sum(stops for _, stops, _ in found)
    for index, title in enumerate((f"violations missed of {bad}", f"good denied of {len(found) - bad}")):
        for whose, names in (("ours", ours[index]), ("Kyverno's set", theirs[index])):
            if names:
                print(f"  {level}, {label}, {title}: {whose}: {', '.join(names)}", file=sys.stderr)
        figure = f"{level}, {label} in a cluster: {title}"
        yield Figure(figure, len(ours[index]), "", "Kyverno's set", len(theirs[index]), target=0)


def errors(who: str, said: Said) -> tuple[list[str], list[str]]:
    """Names of violations that `who` lets pass, and of good pods that it refuses.

    Raises:
        RuntimeError: something else refused a pod.
    """
    for name, _, why in said:
        if why and MARKS[who] not in why:
            raise RuntimeError(f"{name} in namespaces of {who}: {why}")
    missed = [name for name, bad, why in said if bad and not why]
    return missed, [name for name, bad, why in said if why and not bad]
