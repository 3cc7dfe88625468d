"""Every namespace says who owns it, and of which class its data is."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_LABELS = "object.?metadata.?labels.orValue({})"
_OWN = "corral.dev/component"
"""Label of the platform's own namespaces; a guard at the API server keeps others from it."""
_TENANTS = "tenancy"
"""Its value where the platform made a namespace for others."""
_SYSTEM = ("default", "kube-node-lease", "kube-public", "kube-system")
_CLASS, _OWNER = "^([^/]+/)?data[-_]?class$", "^([^/]+/)?(owner|team|tenant)$"


def _says(pattern: str) -> str:
    return f"{_LABELS}.exists(k, k.matches({text(pattern)}) && {_LABELS}[k] != '')"


def _space(labels: Any, name: str = "n") -> Mapping[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}


CONTROL = Control(
    id="SOV-GOV-02",
    title="Every namespace says who owns it, and of which class its data is",
    severity=Severity.HIGH,
    sources=("SOV-3", "GDPR 30"),
    remedy="Label it `owner` and `corral.dev/data-class`; in the stack file: `data-class` of each tenant.",
    rule=ObjectRule(
        kinds=("Namespace",),
        expression=(
            f"({_says(_CLASS)} && {_says(_OWNER)}) || "
            f"{_LABELS}.exists(k, k == {text(_OWN)} && {_LABELS}[k] != {text(_TENANTS)}) || "
            f"object.?metadata.?name.orValue('') in {text(list(_SYSTEM))}"
        ),
        message="a namespace does not say who owns it, or of which class its data is",
        demanded=("metadata.labels",),
    ),
    cases=(
        Case("both", Verdict.GOOD, _space({"owner": "team-a", "data-class": "internal"})),
        Case(
            "a tenant's",
            Verdict.GOOD,
            _space({_OWN: _TENANTS, "corral.dev/tenant": "a", "corral.dev/data-class": "confidential"}),
        ),
        Case("of the platform's own", Verdict.GOOD, _space({_OWN: "kserve"})),
        Case("Kubernetes' own", Verdict.GOOD, _space({}, "kube-system")),
        Case("none", Verdict.BAD, _space({})),
        Case("no labels", Verdict.BAD, {"kind": "Namespace", "metadata": {"name": "n"}}),
        Case("a tenant's without class", Verdict.BAD, _space({_OWN: _TENANTS, "corral.dev/tenant": "a"})),
        Case("no owner", Verdict.BAD, _space({"data-class": "internal"})),
        Case("an empty class", Verdict.BAD, _space({"owner": "a", "data-class": ""})),
        Case(
            "a label that only ends alike", Verdict.BAD, _space({"owner": "a", "no-data-class": "internal"})
        ),
        Case("a name that only begins alike", Verdict.BAD, _space({}, "kube-system-2")),
        Case("not known yet", Verdict.UNDECIDED, _space(UNKNOWN)),
    ),
)
