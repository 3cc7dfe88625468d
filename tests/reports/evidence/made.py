"""Evidence of small stacks, without an engine."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.stacks.stack_files import planned

from corral.controls.stamp import CONFIG_MAP, LABEL, STAMPED, Stamp, rules_digest, unstamped
from corral.controls.verdicts import Evaluation, Finding
from corral.controls.workspace import Workspace
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.evidence.collect import collect
from corral.stacks.reports.evidence.facts import ControlEvidence, Evidence

MADE = "2026-11-27T12:00:00+00:00"
POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"


def stamp(**changes: Any) -> Stamp:
    own: dict[str, Any] = {"verdict": "passed", "profile": "open", "rules": rules_digest(), **changes}
    return Stamp("corral-sovereignty", "0.1.0", reported={}, excepted={}, undecided={}, **own)


def resource(token: str, name: str, **inputs: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:s::p::{token}::{name}", "type": token, "custom": True, "inputs": inputs}


def export(run: Stamp | None, *more: Mapping[str, Any]) -> dict[str, Any]:
    """A state as `pulumi stack export` prints it, with the stamp of `run`."""
    data = unstamped() if run is None else run.data
    stamped = resource(CONFIG_MAP, "evidence", metadata={"labels": {LABEL: STAMPED}}, data=data)
    manifest = {"time": "2026-11-27T11:00:00Z"}
    return {"version": 3, "deployment": {"manifest": manifest, "resources": [stamped, *more]}}


def evidence(
    run: Stamp | None = None,
    *more: Mapping[str, Any],
    plan: Plan | None = None,
    findings: Sequence[Finding] = (),
    evaluated: Mapping[str, Sequence[str]] | None = None,
    workspace: Workspace | None = None,
) -> Evidence:
    found = Evaluation(evaluated or {}, findings)
    return collect(plan or planned(), {}, export(run, *more), found, workspace, MADE)


def control(whole: Evidence, identity: str) -> ControlEvidence:
    (found,) = [one for one in whole.controls if one.id == identity]
    return found
