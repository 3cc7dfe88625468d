"""What of the Pod Security Standards the policy pack stops, beside Checkov and Kyverno's own set of policies.

Checkov is the program of that name on PATH; Kyverno's set is read from a checkout of kyverno/policies that
`KYVERNO_POLICIES` names, and evaluated by the runtime of our own rules. What is absent is named.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, cast

import yaml
from tests.controls.same_verdict.generated import known, stored, subjects

from bench.figures import Figure
from bench.processes import ROOT
from corral.controls.cel import evaluate
from corral.controls.control import Resource, Verdict
from corral.controls.kinds import KINDS, PODS
from corral.controls.pods.drivers import drivers
from corral.controls.pods.pod_10 import ENFORCE
from corral.controls.profiles import PROFILES
from corral.controls.register import control
from corral.controls.verdicts import Outcome
from corral.policy.state import evaluation

LEVELS = ("baseline", "restricted")
NAMESPACE = "apps"
CONTROLS = ("SOV-POD-01", "SOV-POD-10")
UPSTREAM = Path(os.environ.get("CORRAL_UPSTREAM", ROOT.parent / "shared" / "upstream"))
FIXTURES = UPSTREAM.parent / "fixtures" / "pod-security"
"""Kubernetes' own test pods, where they are: version / level / pass or fail."""
_BASELINE = (16, 17, 18, 19, 26, 27, 39)
CHECKS = {
    "baseline": tuple(f"CKV_K8S_{number}" for number in _BASELINE),
    "restricted": tuple(f"CKV_K8S_{number}" for number in (*_BASELINE, 20, 23, 28, 31, 37)),
}
"""Checks of Checkov about fields of the level: privileged, the host's processes, memory, network and ports,
Docker's socket, SYS_ADMIN; escalation, root, NET_RAW, seccomp, capabilities."""
_CLUSTER = "urn:pulumi:s::p::pulumi:providers:kubernetes::cluster"


@dataclass(frozen=True)
class Subject:
    """An object with a pod in it, and whether the Pod Security Standards let it pass at a level."""

    object: Mapping[str, Any]
    good: bool
    kubernetes: str = ""
    """Version of the standards that say so; empty: those of every version."""


Net = Callable[[str, Sequence[Subject]], set[int]]
"""Level and objects -> positions of those that are denied."""


def peers() -> Iterator[Figure]:
    """What of the Pod Security Standards the pack stops, beside Checkov and Kyverno's own set."""
    others = dict(_others())
    for level, (source, found) in product(LEVELS, {"generated": generated, "Kubernetes' own": _own}.items()):
        tried = list(found(level))
        if not tried:
            print(f"  not compared: {source} objects at level {level}: none are here", file=sys.stderr)
            continue
        ours = errors(of_pack(level, tried), tried)
        theirs = {name: errors(net(level, tried), tried) for name, net in others.items()}
        bad = sum(not one.good for one in tried)
        for index, label in enumerate((f"violations missed of {bad}", f"good denied of {len(tried) - bad}")):
            name = f"{level}, {source} objects: {label}"
            for peer, wrong in theirs.items():
                yield Figure(name, ours[index], "", peer, wrong[index], target=0)
            if not theirs:
                yield Figure(name, ours[index], "", target=0)


def errors(denied: set[int], tried: Sequence[Subject]) -> tuple[int, int]:
    """How many bad objects pass, and how many good ones are denied."""
    missed = sum(not one.good and index not in denied for index, one in enumerate(tried))
    return missed, sum(tried[index].good for index in denied)


def _others() -> Iterator[tuple[str, Net]]:
    checkov = shutil.which("checkov")
    if checkov:
        yield "Checkov", lambda level, tried: of_checkov(checkov, level, tried)
    else:
        print("  not compared: Checkov: there is no checkov on PATH", file=sys.stderr)
    policies = os.environ.get("KYVERNO_POLICIES", "")
    if (Path(policies) / "pod-security-vpol").is_dir():
        yield "Kyverno's set", lambda level, tried: of_kyverno(Path(policies), level, tried)
    else:
        print(
            "  not compared: Kyverno's set: KYVERNO_POLICIES names no checkout of kyverno/policies",
            file=sys.stderr,
        )


def _own(level: str) -> Iterator[Subject]:
    for path in sorted(FIXTURES.glob(f"*/{level}/*/*.yaml")):
        version = path.parents[2].name.removeprefix("v")
        yield from _held(yaml.safe_load(path.read_text()), path.parent.name == "pass", version)


def _held(pod: Mapping[str, Any], good: bool, version: str = "") -> Iterator[Subject]:
    """A pod as it is, and as the template of kinds that make such."""
    template = {key: pod[key] for key in ("metadata", "spec") if key in pod}
    yield Subject(_placed(pod, "Pod"), good, version)
    yield Subject(_placed({"spec": {"template": template}}, "Deployment"), good, version)
    nested = {"spec": {"jobTemplate": {"spec": {"template": template}}}}
    yield Subject(_placed(nested, "CronJob"), good, version)


def _placed(one: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return stored({**one, "kind": kind, "metadata": {**(one.get("metadata") or {}), "namespace": NAMESPACE}})


def generated(level: str) -> Iterator[Subject]:
    """Cases of the controls, moved to other places and kinds, but for what our controls exempt."""
    if level == "restricted":
        for case in control("SOV-POD-10").cases:
            subject = cast(Resource, case.subject)
            every_version = not case.profile.startswith("1.")
            if (
                subject.type == KINDS["Pod"].token
                and case.others
                and known(dict(subject.props))
                and every_version
            ):
                labels = case.others[0].props["metadata"]["labels"]
                if case.verdict is not Verdict.UNDECIDED and labels.get(ENFORCE) == level:
                    yield from _held(subject.props, case.verdict is Verdict.GOOD)
        return
    exempt = re.compile(drivers(PROFILES["eu-resident"]))
    kinds = {kind.kind for kind in PODS} - {"LeaderWorkerSet"}
    for one in subjects(control("SOV-POD-01"), every=True):
        if one.object["kind"] not in kinds or one.case.profile.startswith("1."):
            continue
        images = [each.get("image", "") for each in _pod(one.object).get("containers", ())]
        system = one.object["metadata"].get("namespace") == "kube-system"
        if not system and not any(map(exempt.match, images)):
            yield Subject(_placed(one.object, one.object["kind"]), one.verdict is Verdict.GOOD)


def _pod(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """The pod spec of an object."""
    value: Any = one
    for part in KINDS[one["kind"]].pod_specs[0].split("."):
        value = value.get(part) or {}
    return value


def of_pack(level: str, tried: Sequence[Subject]) -> set[int]:
    """Our pack under `eu-resident`, in a namespace of the level: its rules of these standards alone."""
    labels = {ENFORCE: level}
    space = _recorded(
        "kubernetes:core/v1:Namespace", "n", {"metadata": {"name": NAMESPACE, "labels": labels}}
    )
    cluster: dict[str, Any] = {"urn": _CLUSTER, "type": "pulumi:providers:kubernetes", "inputs": {}}
    denied: set[int] = set()
    for version in {one.kubernetes for one in tried}:
        stack = [
            _recorded(KINDS[one.object["kind"]].token, str(at), one.object)
            for at, one in enumerate(tried)
            if one.kubernetes == version
        ]
        known = {"cluster": {"kubernetes": version}} if version else {}
        config = {"corral:platform": json.dumps({"sovereignty": {"profile": "eu-resident"}, **known})}
        denied |= {
            int(found.urn.rpartition("::")[2])
            for found in evaluation(config, [cluster, space, *stack]).findings
            if found.control in CONTROLS and found.outcome is Outcome.VIOLATED
        }
    return denied


def _recorded(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    urn = f"urn:pulumi:s::p::{token}::{name}"
    return {"urn": urn, "type": token, "custom": True, "inputs": inputs, "provider": f"{_CLUSTER}::0a"}


def of_checkov(program: str, level: str, tried: Sequence[Subject]) -> set[int]:
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as folder:
        for at, one in enumerate(tried):
            (Path(folder) / f"{at}.yaml").write_text(yaml.safe_dump(dict(one.object)))
        chosen = ",".join(CHECKS[level])
        command = [program, "-d", folder, "--framework", "kubernetes", "--check", chosen]
        options = ["-o", "json", "--compact", "--quiet", "--skip-download"]
        took = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if not took.stdout.startswith(("{", "[")):
            raise RuntimeError(f"checkov: {(took.stderr or took.stdout)[-2000:]}")
    failed = json.loads(took.stdout)["results"]["failed_checks"]
    return {int(Path(one["file_path"]).stem) for one in failed}


def of_kyverno(checkout: Path, level: str, tried: Sequence[Subject]) -> set[int]:
    """Kyverno's ValidatingPolicies on the pods, those of templates too: it makes rules for these itself."""
    levels = LEVELS[: LEVELS.index(level) + 1]
    policies = [one for each in levels for one in kyverno_policies(checkout, each)]
    return {at for at, one in enumerate(tried) if any(_refuses(policy, one.object) for policy in policies)}


def kyverno_policies(checkout: Path, level: str) -> list[Mapping[str, Any]]:
    """Kyverno's ValidatingPolicies of a level in a checkout of kyverno/policies.

    Raises:
        RuntimeError: there are none.
    """
    files = sorted((checkout / "pod-security-vpol" / level).glob("*/*.yaml"))
    read = (one for path in files for one in yaml.safe_load_all(path.read_text()))
    policies = [one for one in read if one and one["kind"] == "ValidatingPolicy"]
    if not policies:
        raise RuntimeError(f"{checkout}: no policies in pod-security-vpol/{level}")
    return policies


def _refuses(policy: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether a policy refuses the pod of an object; a rule that cannot run refuses, by Kyverno's default."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": _pod(one)}
    values: dict[str, Any] = {}
    try:
        for each in policy["spec"].get("variables", ()):
            values[each["name"]] = evaluate(each["expression"], pod, values)
        return not all(
            evaluate(each["expression"], pod, values) is True for each in policy["spec"]["validations"]
        )
    except ValueError:
        return True
