"""No namespace loosens what its pods may have."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_ENFORCE = "pod-security.kubernetes.io/enforce"
_LABELS = "object.?metadata.?labels.orValue({})"
OWN = "corral.dev/component"
"""Label of the platform's own namespaces; a guard at the API server keeps others from it."""
_VERSION = f"{_ENFORCE}-version"
_OLD = "^v1[.](1?[0-9]|2[0-4])$"
"""Versions of the standards before 1.25, whose levels let more pass."""
_SYSTEM = ("kube-system", "kube-public", "kube-node-lease")


def _has(key: str, *values: str) -> str:
    return f"{_LABELS}.exists(k, k == {text(key)} && {_LABELS}[k] in {text(list(values))})"


def _space(level: object, **labels: str) -> Mapping[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": "n", "labels": {_ENFORCE: level, **labels}}}


CONTROL = Control(
    id="SOV-POD-03",
    title="No namespace lets its pods take their nodes",
    severity=Severity.HIGH,
    sources=("Pod Security Standards",),
    remedy=f"Set {_ENFORCE} to restricted or baseline; the platform labels its own drivers' namespaces.",
    rule=ObjectRule(
        kinds=("Namespace",),
        expression=(
            f"!({_has(_ENFORCE, 'privileged')} || {_LABELS}.exists(k, k == {text(_VERSION)} && "
            f"{_LABELS}[k].matches({text(_OLD)}))) || {_LABELS}.exists(k, k == {text(OWN)}) || "
            f"object.?metadata.?name.orValue('') in {text(list(_SYSTEM))}"
        ),
        message="a namespace enforces no level of the Pod Security Standards, or one of long ago",
        instead="the guard `corral-scope` at the API server, which lets no level be loosened",
    ),
    cases=(
        *(
            Case(f"restricted as of {version}", verdict, _space("restricted", **{_VERSION: version}))
            for version, verdict in (
                ("v1.24", Verdict.BAD),
                ("v1.0", Verdict.BAD),
                ("v1.25", Verdict.GOOD),
                ("v1.35", Verdict.GOOD),
                ("latest", Verdict.GOOD),
            )
        ),
        Case("restricted", Verdict.GOOD, _space("restricted")),
        Case("baseline", Verdict.GOOD, _space("baseline")),
        Case("no label", Verdict.GOOD, {"kind": "Namespace", "metadata": {"name": "n"}}),
        Case("privileged", Verdict.BAD, _space("privileged")),
        Case(
            "privileged, of the platform's own", Verdict.GOOD, _space("privileged", **{OWN: "gpu-operator"})
        ),
        Case(
            "the system's",
            Verdict.GOOD,
            {"kind": "Namespace", "metadata": {"name": "kube-system", "labels": {_ENFORCE: "privileged"}}},
        ),
        Case(
            "privileged beside an unknown",
            Verdict.BAD,
            {"kind": "Namespace", "metadata": {"labels": {_ENFORCE: "privileged"}}, "spec": UNKNOWN},
        ),
    ),
)
