"""Every namespace of a tenant holds its pods to the restricted level."""

from collections.abc import Mapping
from typing import Any

from corral.catalogue.vocabulary import TENANT_LABEL
from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_ENFORCE = "pod-security.kubernetes.io/enforce"
_LABELS = "object.?metadata.?labels.orValue({})"


def _has(key: str, test: str = "true") -> str:
    return f"{_LABELS}.exists(k, k == {text(key)} && {test})"


_RESTRICTED = _has(_ENFORCE, f"{_LABELS}[k] == 'restricted'")


def _space(**labels: object) -> Mapping[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": "n", "labels": labels}}


CONTROL = Control(
    id="SOV-POD-02",
    title="Every namespace of a tenant holds its pods to the restricted level",
    severity=Severity.HIGH,
    sources=("Pod Security Standards: restricted", "CIS EKS 4.2"),
    remedy=f"Set {_ENFORCE} to restricted; what needs more runs in a namespace of the platform.",
    rule=ObjectRule(
        kinds=("Namespace",),
        expression=f"!{_has(TENANT_LABEL)} || {_RESTRICTED}",
        message="a tenant's pods may be more than the restricted level allows",
        demanded=("metadata.labels",),
        instead="the guard `corral-scope` at the API server, which lets no level be loosened",
    ),
    cases=(
        Case("a tenant's, restricted", Verdict.GOOD, _space(**{TENANT_LABEL: "a", _ENFORCE: "restricted"})),
        Case("a tenant's, baseline", Verdict.BAD, _space(**{TENANT_LABEL: "a", _ENFORCE: "baseline"})),
        Case("a tenant's, privileged", Verdict.BAD, _space(**{TENANT_LABEL: "a", _ENFORCE: "privileged"})),
        Case("a tenant's, nothing said", Verdict.BAD, _space(**{TENANT_LABEL: "a"})),
        Case(
            "a tenant's, only warned",
            Verdict.BAD,
            _space(**{TENANT_LABEL: "a", f"{_ENFORCE[:-7]}warn": "restricted"}),
        ),
        Case("no tenant's", Verdict.GOOD, _space(**{_ENFORCE: "baseline"})),
        Case("no label", Verdict.GOOD, {"kind": "Namespace", "metadata": {"name": "n"}}),
        Case("not known yet", Verdict.UNDECIDED, _space(**{TENANT_LABEL: "a", _ENFORCE: UNKNOWN})),
    ),
)
